# frozen_string_literal: true

module Ratomic
  module Workers
    # State for owned results that callers, workers and the coordinator of a pool share: whether more workers are needed
    # in reserve, and where the results that are being made will be found. Frozen and shareable.
    #
    # A worker in reserve has started and takes no work, until it gets the seat of a worker that has ended with its
    # results.
    class Reserve
      # @return [Map] number of a worker => the {OwnedResults} of the results that it is making
      attr_reader :homes

      def initialize
        @short = Counter.new(1)
        @homes = Map.new
        freeze
      end

      # Called when a worker in reserve is needed, or was taken.
      # @return [void]
      def short
        @short.reset(1)
      end

      # Whether the reserve is to be filled. True once after each {#short}.
      def short?
        @short.compare_and_set(1, 0)
      end

      # Has workers started, for an owned dispatch, that take the places of those that end to hand their results over.
      # The other workers run items meanwhile, so no caller waits for this.
      # @param engine [Engine] whose reserve this is
      # @param batch [Batch]
      # @return [void]
      def fill(engine, batch)
        engine.post(Engine::RESERVE) if batch.owned? && engine.backend.reserve? && short?
      end
    end
  end
end
