# frozen_string_literal: true

module Ratomic
  module Workers
    # Where owned results are until their caller takes them. It stands in the completion for each of them. Frozen and
    # shareable.
    #
    # Results come home in one of three ways: as the value of the Ractor that made them, when it has ended; as a copy
    # (Marshal), where that costs less; or they are in the caller's own Ractor from the start, see {LocalStore}.
    class OwnedResults
      ENDED = :ended
      HERE = :here
      LOST = :lost
      # Slots of the latch: the worker says that it ends now; and how the results have arrived.
      ENDS = 0
      ARRIVED = 1
      SAID = [true].freeze
      # Looks at once whether a worker that ends has ended, and seconds between those that follow, at first and at most.
      SPIN_CHECKS = 8
      FIRST_CHECK_INTERVAL_S = 0.00002
      MAX_CHECK_INTERVAL_S = 0.002
      private_constant :ENDS, :ARRIVED, :SAID, :SPIN_CHECKS, :FIRST_CHECK_INTERVAL_S, :MAX_CHECK_INTERVAL_S

      # @param arrival [String, :here, nil] nil when they are to arrive later
      def initialize(arrival = nil)
        @ractor = Ractor.current
        @latch = Completion.new(2, true) # in a forked child nothing arrives, and nobody is to wait for it
        arrive(arrival) if arrival
        Ractor.make_shareable(self)
      end

      # They can be taken, or are lost.
      # @param how [String, :ended, :here, :lost]
      # @return [Boolean] false when that was said before
      def arrive(how)
        @latch.file(ARRIVED, [how].freeze).positive?
      end

      def arrived?
        @latch.filled?(ARRIVED)
      end

      # The worker has done all and is about to end, which is a matter of microseconds.
      # @return [void]
      def leave
        @latch.file(ENDS, SAID)
      end

      # Waits until they have arrived. The coordinator hears of the end of a Ractor, and says so; but who waits already
      # sees it himself, some wake-ups earlier. (`Ractor#value` would wait, too, but could not be interrupted.)
      # @param seconds [Numeric, nil]
      # @return [Boolean] whether they have arrived
      def wait(seconds)
        limit = Clock.limit(seconds)
        return false unless @latch.wait_filed(1, seconds)

        looks = 0
        until arrived? || ended?
          return false if limit && Clock.now >= limit

          looks += 1
          next Thread.pass if looks < SPIN_CHECKS

          sleep([FIRST_CHECK_INTERVAL_S * (2**(looks - SPIN_CHECKS)), MAX_CHECK_INTERVAL_S].min)
        end
        true
      end

      # Whether they are a copy, in which Failures are missing.
      def copied?
        String === @latch[ARRIVED]
      end

      # Whether they are with another Ractor, which goes on.
      def elsewhere?
        @latch[ARRIVED] == HERE && !@ractor.equal?(Ractor.current)
      end

      # Takes them, once. Does not wait: they have arrived.
      # @return [Hash{Integer => Array}, nil] runs of results, by the index of the first; nil when they are lost
      def take
        runs = case how = @latch[ARRIVED]
               when String then Marshal.load(how) # rubocop:disable Security/MarshalLoad -- a worker's own
               when ENDED then @ractor.value
               when HERE then LocalStore.here.take(self)
               end
        runs if Hash === runs
      rescue Ractor::Error # it ended by an exception
        nil
      end

      private

      def ended?
        !Backend::Ractors.alive?(@ractor) && (arrive(ENDED) || true)
      end
    end
  end
end
