# frozen_string_literal: true

module Ratomic
  module Workers
    # A worker's way through the {Lane}: batches take turns, nearly as if those that wait and those that were begun
    # stood in one line.
    class Turns
      # @param lane [Lane]
      def initialize(lane)
        @lane = lane
        @taken = 0 # since one that was begun
      end

      # @return [Batch, nil]
      def next
        if (batch = @lane.try_pop_begun(@taken))
          @taken = 0
          return batch
        end
        @taken += 1
        @lane.try_pop
      end
    end
  end
end
