# frozen_string_literal: true

module Ratomic
  module Workers
    # What a worker has at hand of the {Costs} of the callable that it ran last. Small batches of one callable come by
    # the thousand: it would take longer to look its cost up, and to learn from it, than to run it.
    class LocalCostCache
      # Of so many short chunks (a power of two) one is learnt from; the others tell as much.
      SAMPLE_RATE = 8

      # @param costs [Costs]
      def initialize(costs)
        @costs = costs
        @short = 0
      end

      # The thread begins that runs the items.
      # @return [self]
      def begin
        @state = ThreadState.new
        self
      end

      # @return [Float, nil] see {Costs#of}
      def cost(key)
        look_up(key) unless key.equal?(@key)
        @cost
      end

      # @param chunk [Chunk] that has run
      # @param took [Integer] nanoseconds
      def learn(chunk, took)
        return if chunk.results.empty?

        key = chunk.batch.key
        return if took < RunQueue::LONG_CHUNK_NS && @tame && key.equal?(@key) &&
                  ((@short += 1) & (SAMPLE_RATE - 1)).positive?

        @costs.introduce(key, chunk.batch.target) unless @costs.of(key)
        @costs.learn(key, chunk.weight, took, chunk.results.size)
        look_at_thread(key)
        look_up(key)
      end

      private

      # A worker's thread keeps what items leave on it. A caller's must not, so such a callable is not for callers.
      def look_at_thread(key)
        return unless @state&.changed?

        @costs.mark_wild(key)
        @state = ThreadState.new
      end

      def look_up(key)
        @key = key
        @cost = @costs.of(key)
        @tame = @costs.small(key)
      end
    end
  end
end
