# frozen_string_literal: true

module Ratomic
  module Workers
    # The order in which a worker takes batches from the {RunQueue}: those that wait and those that were begun take
    # turns, nearly as if they were in one queue.
    class BatchOrder
      # @param run_queue [RunQueue]
      def initialize(run_queue)
        @run_queue = run_queue
        @taken = 0 # since one that was begun
      end

      # @return [Batch, nil]
      def next
        if (batch = @run_queue.try_pop_begun(@taken))
          @taken = 0
          return batch
        end
        @taken += 1
        @run_queue.try_pop
      end
    end
  end
end
