# frozen_string_literal: true

module Ratomic
  module Workers
    # A worker's own copy of the {Costs} of the callable that it ran last. Small batches of one callable come by the
    # thousand, and to read and to update the shared Costs would take longer than to run them.
    class LocalCostCache
      # The pool learns from one short chunk out of this many (a power of two).
      SAMPLE_RATE = 8

      # Made in the thread that is going to run the items.
      # @param costs [Costs]
      # @param factor [Integer] how many times as long chunks are, see {Backend::Defaults#chunk_time_factor}
      def initialize(costs, factor)
        @costs = costs
        @long = RunQueue::LONG_CHUNK_NS * factor
        @short = 0
        @state = ThreadState.new
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
        return if took < @long && @small && key.equal?(@key) &&
                  ((@short += 1) & (SAMPLE_RATE - 1)).positive?

        @costs.introduce(key, chunk.batch.target) unless @costs.of(key)
        @costs.learn(key, chunk.weight, took, chunk.results.size)
        look_at_thread(key)
        look_up(key)
      end

      private

      # What an item leaves on a worker's thread stays there. On a caller's thread it must not, so callers do not run
      # such a callable.
      def look_at_thread(key)
        return unless @state.changed?

        @costs.mark_caller_unsafe(key)
        @state = ThreadState.new
      end

      def look_up(key)
        @key = key
        @cost = @costs.of(key)
        @small = @costs.small(key)
      end
    end
  end
end
