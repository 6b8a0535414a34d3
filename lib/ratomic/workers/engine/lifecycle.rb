# frozen_string_literal: true

module Ratomic
  module Workers
    # The state of a pool: open, closing, closed, and then ended. It never goes back. (As the run state of Java's
    # ThreadPoolExecutor: RUNNING, SHUTDOWN, STOP, TERMINATED.)
    class Lifecycle
      OPEN = 0
      # No new dispatch is accepted; accepted ones are finished.
      CLOSING = 1
      # Accepted dispatches are stopped, too.
      CLOSED = 2

      # @param caller_runs_cache [CallerRunsCache] suspended when the pool closes, because callers that find their
      #   callable in it do not check the lifecycle
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

      # Notes that the pool has ended.
      # @return [Boolean] true for the first call
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
