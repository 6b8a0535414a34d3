# frozen_string_literal: true

module Ratomic
  module Workers
    # Whether the caller or the pool is to run dispatches of middling work, where an estimate cannot tell: two
    # processors may be two halves of one, and a wake-up takes longer on one machine than on another. What counts is how
    # long the caller is held up, by running the items or by waiting for them. One that waits only after it has made
    # many dispatches, or never, is held up least by the pool, however long each takes there. Both are timed, by
    # callable; the better one has the work, and now and then the other one, so that it stays known.
    class RouteChooser
      # One dispatch in so many (a power of two) goes to the one that was slower.
      EXPLORE_RATE = 32

      def initialize
        @by_caller = MovingAverages.new
        @by_pool = MovingAverages.new
        @turns = Counter.new
        freeze
      end

      # @return [Boolean] whether the caller is to do the next dispatch
      def caller?(key)
        return true unless (by_caller = @by_caller[key])
        return false unless (by_pool = @by_pool[key])

        (by_caller <= by_pool) ^ (@turns.increment & (EXPLORE_RATE - 1)).zero?
      end

      # The caller has run a dispatch.
      # @param nanoseconds [Integer] that it took
      # @param items [Integer]
      def learn_caller(key, nanoseconds, items)
        @by_caller.learn(key, nanoseconds.fdiv(items)) if items.positive?
      end

      # The pool has, or is still running it.
      # @param nanoseconds [Integer] that the caller waited
      def learn_pool(key, nanoseconds, items)
        @by_pool.learn(key, nanoseconds.fdiv(items)) if items.positive?
      end
    end
  end
end
