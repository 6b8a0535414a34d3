# frozen_string_literal: true

require_relative "lease"
require_relative "leak_detector"
require_relative "checkout_request"

module Ratomic
  class Pool
    # A Ractor's end of a pool: it asks the server for objects, receives them and moves them back. The threads of the
    # Ractor share it. Callers of all its methods have interrupts masked ({Workers::Interrupts.deferred}); only the wait
    # for an answer lets them in.
    class RactorClient
      # Seconds to wait for the answer to a withdrawal. The server never blocks and needs microseconds for it, but where
      # more Ractors compute than Ruby has native threads, it may get no turn for longer.
      WITHDRAW_TIMEOUT_S = 5
      # Stands for the answer that did not come in that time.
      LATE = [].freeze
      private_constant :LATE

      # @return [ServerChannel]
      attr_reader :channel

      # @raise [ClosedError] in a Ractor that is ending: CRuby 4.0 crashes when a port is made there
      def initialize(channel)
        raise ClosedError, "this Ractor is ending; use the pool before it ends" if Ractor.current.default_port.closed?

        @channel = channel
        @number = channel.next_client_number
        @port = Ractor::Port.new
        @idle_requests = []
        @late_requests = [] # whose answers no thread waits for, because Ruby could make none
        @leak_detector = LeakDetector.new(self)
        channel.report([:client_added, @number, Ractor.main? ? nil : Ractor.current].freeze)
      end

      # @param timeout [Numeric, nil] seconds
      # @param must [Boolean] whether to raise when time is up
      # @return [Lease, nil] nil when time is up
      # @raise [ClosedError]
      # @raise [TimeoutError]
      def lend(timeout, must: false)
        timeout = Arguments.seconds(:timeout, timeout)
        request = @idle_requests.pop || CheckoutRequest.new(@port, @number)
        @channel.inbox.push(timeout&.zero? ? request.at_once : request)
        answer = wait(request, timeout)
        to_lease(answer) || (must ? raise(TimeoutError, refusal(timeout, answer)) : nil)
      rescue ClosedQueueError
        raise ClosedError, "the pool is closed; make a new one"
      end

      # @param lease [Lease, nil]
      # @param complain [Boolean] whether to raise if the object cannot be moved back
      # @raise [OwnershipError]
      def take_back(lease, complain)
        return if lease.nil? || lease.empty?

        reason = return_object(lease, lease.release)
        return unless reason && complain

        raise OwnershipError, "#{reason}, so it cannot go back to the pool; a new one takes its place"
      end

      # Leaves the object to the block that was ended while it used the object; the pool gets a new one.
      # @param lease [Lease]
      def discard(lease)
        lose(lease) if lease.release
      end

      # @return [Object] the object of the lease, from now on referred to weakly, by {LeakDetector}
      def track(lease)
        @leak_detector.add(lease)
      end

      # @raise [OwnershipError]
      def checkin(object)
        take_back(@leak_detector.remove(object), true)
      end

      # Reports the object of the lease as lost.
      def lose(lease)
        @channel.report([:lost, lease.number].freeze)
      end

      # @return [Boolean] whether the pool is closed
      def closed?
        @channel.closed?
      end

      def close
        @port.close unless @port.closed?
        true
      end

      # Called when the Ractor ends.
      def leave
        @leak_detector.stop
      end

      private

      # Waits for the answer. This is the only place where an interrupt can come in. A thread that stops waiting
      # withdraws its request; the server's answer then tells whether an object had been sent already.
      def wait(request, timeout)
        answer = nil
        @late_requests.shift(@late_requests.size).each { |late| take_late(late) }
        begin
          Workers::Interrupts.on_blocking { answer = request.wait(timeout&.zero? ? nil : timeout) }
          stayed = true
        ensure
          answer ||= withdraw(request)
          answer.equal?(LATE) ? take_late(request) : @idle_requests.push(request)
          decline(answer) unless stayed
        end
        answer
      end

      # The thread does not wait any more: an object that was sent goes back.
      def decline(answer)
        take_back(Lease.new(answer, @port.receive), false) if answer.is_a?(Integer)
      rescue Ractor::ClosedError
        nil # the Ractor has ended and the object with it; the server learns of that end
      end

      def withdraw(request)
        @channel.report(request.withdrawal) # if the pool is closed, its server answers every request
        request.wait(WITHDRAW_TIMEOUT_S) || LATE
      end

      # An answer that nobody takes would be a lost object, so a thread waits for it. If Ruby can make none, the next
      # wait tries again.
      def take_late(request)
        Workers::OwnThread.start("ratomic-pool-late-answer", place: "the wait for a late answer of a pool") do
          Workers::Interrupts.deferred do
            decline(Workers::Interrupts.on_blocking { request.wait(nil) })
            @idle_requests.push(request)
          end
        end
      rescue ThreadError
        @late_requests.push(request)
      end

      def to_lease(answer)
        case answer
        when Integer then Lease.new(answer, @port.receive)
        when :closed then raise ClosedError, "the pool was closed while its objects were waited for; make a new one"
        end
      rescue Ractor::ClosedError
        await_end
      end

      # This Ractor is ending: it has closed its ports and is about to kill this thread. Nothing may be raised here
      # until then: CRuby 4.0 crashes when it prints an error of such a thread.
      def await_end
        Workers::Interrupts.allowed { sleep }
      end

      def refusal(timeout, answer)
        return "no object came within #{timeout} s: the pool's Ractor has had no turn" if answer.equal?(LATE)

        out, waiting, missing, failure = answer
        lost = ", #{missing} lost ones are being replaced" if missing.positive?
        why = " (the factory raised #{failure})" if failure
        "no object became free within #{timeout} s: #{out} are checked out, #{waiting} more callers wait#{lost}#{why}" \
          "; raise size or timeout, or look for a block that keeps its object too long"
      end

      # @return [String, nil] what is wrong with the object
      def return_object(lease, object)
        if (reason = Lease.immovable(object))
          lose(lease)
          return reason
        end
        @channel.closed? ? drop(object) : @channel.send_back(object, lease.number)
        nil
      rescue ClosedQueueError, Ractor::ClosedError
        nil
      rescue Ractor::Error => e
        lose(lease)
        "the #{Reflection.class_of(object)} cannot be moved (#{e.message})"
      end

      # Moves the object to nobody, so that the caller's references raise MovedError, as with an open pool.
      def drop(object)
        @port.send(object, move: true)
        @port.receive
      end
    end
  end
end
