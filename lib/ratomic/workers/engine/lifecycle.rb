# frozen_string_literal: true

module Ratomic
  module Workers
    # Whether a pool lets work in. It only ever closes.
    class Lifecycle
      OPEN = 0
      # No more is let in, what is in is finished.
      CLOSING = 1
      # What is in is stopped as well.
      CLOSED = 2

      # @param caller_runs_cache [CallerRunsCache] of callers, who do not look here
      def initialize(caller_runs_cache)
        @caller_runs_cache = caller_runs_cache
        @state = Counter.new(OPEN)
        @ends = Counter.new
        freeze
      end

      def open?
        @state.zero?
      end

      def closed?
        @state.value == CLOSED
      end

      # The pool ends.
      # @return [Boolean] true for the first who says so
      def end
        @ends.increment == 1
      end

      def ended?
        !@ends.zero?
      end

      # @param state [Integer] CLOSING or CLOSED
      def close(state)
        @caller_runs_cache.suspend
        before = @state.value
        before = @state.value until before >= state || @state.compare_and_set(before, state)
      end
    end
  end
end
