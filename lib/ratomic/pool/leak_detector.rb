# frozen_string_literal: true

module Ratomic
  class Pool
    # The objects that +checkout+ lent to one Ractor, referred to weakly: an object that its borrower dropped without
    # giving it back (a forgotten +checkin+, a thread that was killed) is collected, and the pool replaces it.
    # An object that anybody still refers to is never taken away.
    #
    # While anything is lent here, one thread of this Ractor looks after it a few times a second.
    class LeakDetector
      # Seconds between two looks.
      PAUSE = 0.25

      # @param desk [RactorClient] told what is lost
      def initialize(desk)
        @desk = desk
        @loans = {}
        @by_object = ObjectSpace::WeakMap.new # object => loan
        @objects = ObjectSpace::WeakMap.new # loan => object
        @lock = Thread::Mutex.new
        @bell = Queue.new(1)
      end

      # @return [Object] the object of the loan
      def add(loan)
        @lock.synchronize do
          object = loan.surrender
          @by_object[object] = loan
          @objects[loan] = object
          @loans[loan.number] = loan
          @watch = watch unless @watch&.alive?
          object
        end
      end

      # @return [Lease] with its object in it
      # @raise [OwnershipError]
      def remove(object)
        @lock.synchronize do
          loan = @by_object.delete(object)
          raise OwnershipError, foreign(object) if loan.nil?

          @objects.delete(loan)
          @loans.delete(loan.number)
          loan.hold(object)
        end
      end

      # Ends the thread.
      def stop
        @bell.close
        @watch&.join
      end

      private

      def foreign(object)
        return "the object was checked in before, or moved elsewhere" if Waiting.moved?(object)

        "this #{Reflection.class_of(object)} is not checked out here: it belongs to another pool or Ractor, or was " \
          "lent by `with`, which takes it back itself"
      end

      def watch
        thread = Thread.new do
          Thread.handle_interrupt(Object => :immediate) { nil while look } # it inherits the mask of its maker
        end
        thread.name = "ratomic-pool-register"
        Workers::OwnThread.mark(thread)
      end

      # The pause comes first, so that many short loans do not start a thread each. It is a native wait, since CRuby 4.0
      # can deadlock when a timed sleep in a Ractor is interrupted.
      #
      # @return [Boolean] whether there is anything left to look after
      def look
        @bell.pop(timeout: PAUSE)
        search
        lost = @lock.synchronize { @loans.values.reject { |loan| @objects.key?(loan) } }
        lost.each { |loan| @desk.lose(loan) }
        @lock.synchronize do
          lost.each { |loan| @loans.delete(loan.number) }
          (!@loans.empty? && !@bell.closed?) || (@watch = nil)
        end
      end

      # A thread that ended may have left objects that nobody has any more. A collection tells, once for each of them.
      def search
        left = @lock.synchronize { @loans.values.reject { |loan| loan.searched || loan.thread.alive? } }
        return if left.empty?

        left.each { |loan| loan.searched = true }
        GC.start
      end
    end
  end
end
