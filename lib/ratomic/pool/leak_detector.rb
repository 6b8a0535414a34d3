# frozen_string_literal: true

module Ratomic
  class Pool
    # Finds objects that +checkout+ lent to this Ractor and that nobody can return any more (a forgotten +checkin+, a
    # killed thread): it refers to them weakly, and when one has been collected, the pool replaces it. An object to
    # which anything still refers stays with its borrower.
    #
    # While an object is lent and the pool is open, one thread of this Ractor checks a few times a second.
    class LeakDetector
      # Seconds between two checks.
      CHECK_INTERVAL_S = 0.25

      # @param client [RactorClient] to which lost objects are reported
      def initialize(client)
        @client = client
        @leases = {}
        @lease_of = ObjectSpace::WeakMap.new # object => lease
        @objects = ObjectSpace::WeakMap.new # lease => object
        @lock = Thread::Mutex.new
        @stop_signal = Queue.new(1)
      end

      # @return [Object] the object of the lease
      def add(lease)
        @lock.synchronize do
          @thread = start_thread unless @thread&.alive? # first: where none can be made, the lease keeps its object
          object = lease.release
          @lease_of[object] = lease
          @objects[lease] = object
          @leases[lease.number] = lease
          object
        end
      end

      # @return [Lease] which refers to its object again
      # @raise [OwnershipError]
      def remove(object)
        @lock.synchronize do
          lease = @lease_of.delete(object)
          raise OwnershipError, foreign(object) if lease.nil?

          @objects.delete(lease)
          @leases.delete(lease.number)
          lease.hold(object)
        end
      end

      # Ends the thread.
      def stop
        @stop_signal.close
        @thread&.join
      end

      private

      def foreign(object)
        return "the object was checked in before, or moved elsewhere" if Lease.moved?(object)

        "this #{Reflection.class_of(object)} is not checked out here: it belongs to another pool or Ractor, or was " \
          "lent by `with`, which takes it back itself"
      end

      # For the detector's thread, which an interrupt can hit while it waits.
      def locked(&block)
        Workers::Interrupts.synchronize(@lock, &block)
      end

      def start_thread
        # After an error the next lease starts another thread.
        Workers::OwnThread.start("ratomic-pool-leak-detector", place: "the leak detector of a pool") { nil while check }
      end

      # The pause comes first: with many short leases the thread lives on between them. The pause is a wait at a native
      # queue, because CRuby 4.0 can deadlock when a timed sleep in a Ractor is interrupted.
      #
      # @return [Boolean] whether anything is still lent, by an open pool
      def check
        @stop_signal.pop(timeout: CHECK_INTERVAL_S)
        collect_garbage
        lost = locked { @leases.values.reject { |lease| @objects.key?(lease) } }
        lost.each { |lease| @client.lose(lease) }
        locked do
          lost.each { |lease| @leases.delete(lease.number) }
          !(@leases.empty? || @stop_signal.closed? || @client.closed?) || (@thread = nil)
        end
      end

      # A thread that ended may have left objects to which nothing refers. Only a collection tells; one is enough for
      # each lease.
      def collect_garbage
        left = locked { @leases.values.reject { |lease| lease.gc_requested || lease.thread.alive? } }
        return if left.empty?

        left.each { |lease| lease.gc_requested = true }
        GC.start
      end
    end
  end
end
