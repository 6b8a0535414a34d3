# frozen_string_literal: true

module Ratomic
  module Workers
    # Where a worker stands to the {RunQueue}: about to look into it, or away in a long chunk, when it cannot be counted
    # on for what comes next. One that is ended in the midst of telling so counts as away: rather wake others in vain.
    class SearchState
      # @param run_queue [RunQueue]
      # @param worker_status [WorkerStatus] where others see since when the worker is away
      def initialize(run_queue, worker_status)
        @run_queue = run_queue
        @worker_status = worker_status
        @away = false
      end

      # The worker begins something.
      # @param nanoseconds [Float, nil] that it is going to take; nil when nobody knows
      def leave(nanoseconds)
        return if nanoseconds && nanoseconds < RunQueue::LONG_CHUNK_NS

        @worker_status.begin_long(Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond))
        @run_queue.away
        @away = true
      end

      # It is done with it.
      def return
        away = @away
        @away = false
        return unless away

        @worker_status.end_long
        @run_queue.back
      end
    end
  end
end
