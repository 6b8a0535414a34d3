# frozen_string_literal: true

require_relative "lease"
require_relative "leak_detector"
require_relative "checkout_request"

module Ratomic
  class Pool
    # A Ractor's own side of a pool, used by all its threads: asks the server for objects, receives them and moves them
    # back.
    # All methods expect interrupts to be masked ({Waiting::NEVER}).
    class RactorClient
      # Seconds in which the server answers a withdrawal; it takes microseconds, and the server never blocks.
      PATIENCE = 5

      # @return [ServerChannel]
      attr_reader :link

      # @raise [ClosedError] in a Ractor that is ending, where CRuby 4.0 crashes when a port is made
      def initialize(link)
        raise ClosedError, "this Ractor is ending; use the pool before" if Ractor.current.default_port.closed?

        @link = link
        @number = link.new_desk
        @port = Ractor::Port.new
        @tickets = []
        @register = LeakDetector.new(self)
        link.report([:opened, @number, Ractor.main? ? nil : Ractor.current].freeze)
      end

      # @param timeout [Numeric, nil] seconds
      # @param must [Boolean] whether to raise when time is up
      # @return [Lease, nil] nil when time is up
      # @raise [ClosedError]
      # @raise [TimeoutError]
      def lend(timeout, must: false)
        Waiting.timeout(timeout)
        ticket = @tickets.pop || CheckoutRequest.new(@port, @number)
        @link.inbox.push(timeout&.zero? ? ticket.at_once : ticket)
        answer = wait(ticket, timeout)
        loan(answer) || (must ? raise(TimeoutError, refusal(timeout, *answer)) : nil)
      rescue ClosedQueueError
        raise ClosedError, "the pool is closed; make a new one"
      end

      # @param loan [Lease, nil]
      # @param complain [Boolean] whether to raise if the object cannot be moved back
      # @raise [OwnershipError]
      def take_back(loan, complain)
        return if loan.nil? || loan.empty?

        obstacle = return_object(loan, loan.surrender)
        return unless obstacle && complain

        raise OwnershipError, "#{obstacle}, so it cannot go back to the pool; a new one takes its place"
      end

      # The object stays with whoever was ended while it used it; another one takes its place.
      # @param loan [Lease]
      def discard(loan)
        lose(loan) if loan.surrender
      end

      # @return [Object] the object of the loan, from now on in the register
      def register(loan)
        @register.add(loan)
      end

      # @raise [OwnershipError]
      def checkin(object)
        take_back(@register.remove(object), true)
      end

      # The loan's object is gone for good.
      def lose(loan)
        @link.report([:lost, loan.number].freeze)
      end

      def close
        @port.close unless @port.closed?
        true
      end

      # The Ractor ends.
      def leave
        @register.stop
      end

      private

      # The wait itself is the only place that an interrupt can end. Whoever stops waiting withdraws the ticket, and the
      # server's answer then tells whether an object was already on its way.
      def wait(ticket, timeout)
        answer = nil
        begin
          Thread.handle_interrupt(Waiting::ON_BLOCKING) { answer = ticket.wait(timeout&.zero? ? nil : timeout) }
          stayed = true
        ensure
          answer ||= withdraw(ticket)
          @tickets.push(ticket)
          decline(answer) unless stayed
        end
        answer
      end

      # An interrupt came first: what was on its way goes back.
      def decline(answer)
        take_back(Lease.new(answer, @port.receive), false) if answer.is_a?(Integer)
      rescue Ractor::ClosedError
        nil # with the Ractor the object has gone too, and the server knows
      end

      def withdraw(ticket)
        @link.report(ticket.withdrawal) # a closed pool has answered everybody, or is about to
        ticket.wait(PATIENCE) ||
          raise(Error, "the pool's Ractor has not answered for #{PATIENCE} s; please report this")
      end

      def loan(answer)
        case answer
        when Integer then Lease.new(answer, @port.receive)
        when :closed then raise ClosedError, "the pool was closed while its objects were waited for; make a new one"
        end
      rescue Ractor::ClosedError
        await_end
      end

      # This Ractor has ended: its ports were the first to go, and it is about to kill this thread. Until then nothing
      # may be raised here, for CRuby 4.0 crashes when it prints an error of such a thread.
      def await_end
        Thread.handle_interrupt(Object => :immediate) { sleep }
      end

      def refusal(timeout, out, waiting, owed, failure = nil)
        lost = ", #{owed} lost ones are being made anew" if owed.positive?
        why = " (the factory raised #{failure})" if failure
        "no object became free within #{timeout} s: #{out} are checked out, #{waiting} more callers wait#{lost}#{why}" \
          "; raise size or timeout, or look for a block that keeps its object too long"
      end

      # @return [String, nil] what is wrong with the object
      def return_object(loan, object)
        if (obstacle = Waiting.immovable(object))
          lose(loan)
          return obstacle
        end
        @link.closed? ? drop(object) : @link.bring_back(object, loan.number)
        nil
      rescue ClosedQueueError, Ractor::ClosedError
        nil
      rescue Ractor::Error => e
        lose(loan)
        "the #{Reflection.class_of(object)} cannot be moved (#{e.message})"
      end

      # Moves it and forgets it, so that the caller's references end as they would in an open pool.
      def drop(object)
        @port.send(object, move: true)
        @port.receive
      end
    end
  end
end
