# frozen_string_literal: true

module Ratomic
  module Workers
    # Chooses who runs dispatches of middle size, the caller or the pool. An estimate cannot tell: two processors may be
    # two halves of one, and a wake-up takes longer on one machine than on another. So both are timed for each callable,
    # the faster one gets the work, and the other one gets one dispatch now and then, so that its time stays known (an
    # epsilon-greedy bandit).
    #
    # What is timed is how long the caller is held up, by running the items or by waiting for them. A caller that makes
    # many dispatches before it waits, or never waits, is held up least by the pool, however long each takes there.
    class RouteChooser
      # One of so many dispatches (a power of two) takes the slower way.
      EXPLORE_RATE = 32

      def initialize
        @by_caller = BoundedCache.new
        @by_pool = BoundedCache.new
        @turns = Counter.new
        freeze
      end

      # @return [Boolean] whether the caller is to do the next dispatch
      def caller?(key)
        return true unless (by_caller = @by_caller[key])
        return false unless (by_pool = @by_pool[key])

        (by_caller <= by_pool) ^ (@turns.increment & (EXPLORE_RATE - 1)).zero?
      end

      # A caller has run a dispatch.
      # @param nanoseconds [Integer] that it took
      # @param items [Integer]
      def learn_caller(key, nanoseconds, items)
        @by_caller.average(key, nanoseconds.fdiv(items)) if items.positive?
      end

      # The pool has run a dispatch, or runs it still.
      # @param nanoseconds [Integer] that the caller waited
      def learn_pool(key, nanoseconds, items)
        @by_pool.average(key, nanoseconds.fdiv(items)) if items.positive?
      end
    end
  end
end
