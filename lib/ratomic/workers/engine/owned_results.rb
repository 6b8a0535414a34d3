# frozen_string_literal: true

module Ratomic
  module Workers
    # Tells where owned results are until their caller takes them. It is in the slots of the completion in the place of
    # these results. Frozen and shareable.
    #
    # Results reach the caller in one of three ways: as the value of the Ractor that made them, when it has ended; as a
    # copy (Marshal), if that costs less; or they are in the caller's own Ractor from the start, see {LocalStore}.
    class OwnedResults
      ENDED = :ended
      HERE = :here
      LOST = :lost
      # Slots of the latch. The first is filled when the worker begins to end, the second when the results have arrived.
      ENDS = 0
      ARRIVED = 1
      SAID = [true].freeze
      # Checks without a pause whether a worker that is ending has ended; then the seconds between two checks, at first
      # and at most.
      SPIN_CHECKS = 8
      FIRST_CHECK_INTERVAL_S = 0.00002
      MAX_CHECK_INTERVAL_S = 0.002
      private_constant :ENDS, :ARRIVED, :SAID, :SPIN_CHECKS, :FIRST_CHECK_INTERVAL_S, :MAX_CHECK_INTERVAL_S

      # @param arrival [String, :here, nil] nil when they are to arrive later
      def initialize(arrival = nil)
        @ractor = Ractor.current
        @latch = Completion.new(2, true) # in a forked child nothing arrives, so a wait ends
        arrive(arrival) if arrival
        Ractor.make_shareable(self)
      end

      # Says that the results can be taken now, or are lost.
      # @param how [String, :ended, :here, :lost]
      # @return [Boolean] false if it was said before
      def arrive(how)
        @latch.file(ARRIVED, [how].freeze).positive?
      end

      def arrived?
        @latch.filled?(ARRIVED)
      end

      # Called when the worker has run its items and will end within microseconds.
      # @return [void]
      def leave
        @latch.file(ENDS, SAID)
      end

      # Waits until the results have arrived. The coordinator reports the end of the worker's Ractor; but a thread that
      # waits here checks it by itself, which is faster by some wake-ups. (`Ractor#value` waits too, but cannot be
      # interrupted.)
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

      # Whether the results are a copy, which has no Failures.
      def copied?
        String === @latch[ARRIVED]
      end

      # Whether the results are in another Ractor that has not ended, so that they cannot be taken.
      def elsewhere?
        @latch[ARRIVED] == HERE && !@ractor.equal?(Ractor.current)
      end

      # Takes the results, once. Does not wait: call it when they have arrived.
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
        return false if Backend::Ractors.alive?(@ractor)

        arrive(ENDED)
        true
      end
    end
  end
end
