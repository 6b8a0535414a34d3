# frozen_string_literal: true

module Ratomic
  module Workers
    # Decides how many items a worker claims at once.
    #
    # Guided self-scheduling (Polychronopoulos and Kuck, 1987): a claim is a share of what is left, so chunks shrink
    # towards the end and the workers end together. Shares are of weight, not of number, so that one large item does not
    # hide behind many small ones, and they are bounded by measured time: long enough to pay for the claim, short
    # enough that other dispatches get their turn.
    class Chunker
      # Longest chunk, and longest chunk while other dispatches wait for their turn.
      MAX_CHUNK_NS = 500_000
      MAX_CHUNK_CONTENDED_NS = 200_000
      # Longest chunk of a reduction. Each chunk makes one more partial sum to send and to merge, and no caller waits
      # for the first of them.
      MAX_SUM_CHUNK_NS = 4_000_000
      # Shortest chunk, unless little is left.
      MIN_CHUNK_NS = 40_000
      # In an owned dispatch these limits are so many times as large: its worker stays with it all the same, and results
      # are sent by share, not by chunk.
      OWNED_FACTOR = 5
      # Items in a chunk while the callable was never measured.
      UNMEASURED_ITEMS = 4
      # A sequential dispatch runs so many times as long before it files its results: the same worker goes on with it,
      # so shorter chunks would give no other dispatch a turn.
      SEQUENTIAL_FACTOR = 8
      # Estimated work between two readings of the clock and of whether the dispatch was cancelled.
      CHECK_INTERVAL_NS = 8_000
      # Items between two such checks at most, as a power of two.
      MAX_STRIDE_LOG2 = 5
      # Items in a chunk at most.
      MAX_ITEMS = 4096

      # @param workers [Integer]
      # @param backend [Backend::Defaults] tells how many times as large these limits are
      def initialize(workers, backend)
        @shares = workers * 2
        @times = backend.chunk_time_factor
        @longest = MAX_CHUNK_NS * backend.max_chunk_time_factor
        freeze
      end

      # Claims a chunk.
      # @param cost [Float, nil] measured, of a unit of weight
      # @param waiting [Integer] other dispatches
      # @return [Chunk, nil] nil when nothing is left
      def cut(batch, callable, cost, waiting)
        longest = longest(callable, waiting)
        longest *= OWNED_FACTOR if batch.owned?
        count = size(batch, cost, longest)
        return unless (first = batch.claim(count))

        last = first + count
        last = batch.limit if last > batch.limit
        longest *= SEQUENTIAL_FACTOR if batch.options.sequential
        batch.kind.new(batch, callable, first, last, count == 1 ? 1 : stride(cost), longest * 2)
      end

      # @param batch [Batch] with something left to claim
      # @param longest [Integer] nanoseconds that the chunk may take
      # @return [Integer] number of items, at least 1
      def size(batch, cost, longest = MAX_CHUNK_NS)
        left = batch.unclaimed
        return batch.limit if batch.options.sequential
        return 1 if left <= 1 || batch.alone?

        return [UNMEASURED_ITEMS, left.fdiv(@shares).ceil].min unless cost

        shortest = (batch.owned? ? MIN_CHUNK_NS * OWNED_FACTOR : MIN_CHUNK_NS) * @times
        count(batch, left, (left * batch.mean / @shares).clamp((shortest / cost).to_i, (longest / cost).to_i))
      end

      # The size of chunks of small items while many are left.
      # @param cost [Float] measured, of a unit of weight
      # @return [Range] items in a chunk
      def usual(cost)
        item = cost * WorkEstimate::ITEM_WEIGHT
        ((MIN_CHUNK_NS / item).to_i.clamp(1, MAX_ITEMS)..(MAX_CHUNK_NS / item).to_i.clamp(1, MAX_ITEMS))
      end

      # Between cheap items there is a check only now and then, between expensive ones each time.
      # @return [Integer] items between two checks, a power of two
      def stride(cost)
        return 1 unless cost

        nanoseconds = (cost * WorkEstimate::ITEM_WEIGHT).to_i # of an item
        return 1 << MAX_STRIDE_LOG2 if nanoseconds.zero?

        doublings = ((CHECK_INTERVAL_NS - 1) / nanoseconds).bit_length
        1 << (doublings < MAX_STRIDE_LOG2 ? doublings : MAX_STRIDE_LOG2)
      end

      private

      def longest(callable, waiting)
        return MAX_CHUNK_CONTENDED_NS * @times unless waiting.zero?

        Fold === callable ? [MAX_SUM_CHUNK_NS, @longest].max : @longest
      end

      # How many items from the cursor on weigh as much as the budget. An estimate: another worker may claim these items
      # first, and this one gets others.
      def count(batch, left, budget)
        left = MAX_ITEMS if left > MAX_ITEMS
        first = batch.limit - batch.unclaimed
        taken = WorkEstimate.within(batch.items, first, left, budget)
        taken < 1 ? 1 : taken
      end
    end
  end
end
