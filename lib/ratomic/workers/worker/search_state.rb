# frozen_string_literal: true

module Ratomic
  module Workers
    # Whether a worker is searching (about to look into the {RunQueue}) or away in a long chunk. A worker that is away
    # will not take the next batch soon. A worker that is killed while it changes this state counts as away: at worst
    # another worker is woken that finds nothing.
    class SearchState
      # @param run_queue [RunQueue]
      # @param worker_status [WorkerStatus] records since when the worker is away
      def initialize(run_queue, worker_status)
        @run_queue = run_queue
        @worker_status = worker_status
        @away = false
      end

      # The worker begins a chunk.
      # @param nanoseconds [Float, nil] that the chunk is expected to take; nil when that is not known
      def leave(nanoseconds)
        return if nanoseconds && nanoseconds < RunQueue::LONG_CHUNK_NS

        @worker_status.begin_long(Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond))
        @run_queue.stop_searching
        @away = true
      end

      # The worker has finished the chunk, and searches again.
      def resume
        away = @away
        @away = false
        return unless away

        @worker_status.end_long
        @run_queue.start_searching
      end
    end
  end
end
