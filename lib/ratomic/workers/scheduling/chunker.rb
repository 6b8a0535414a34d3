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
      # Nanoseconds that a chunk takes at most, and at most while other dispatches wait for their turn.
      LONGEST = 500_000
      CROWDED = 200_000
      # At most, of a reduction: each chunk is one more sum to bring home and merge, and nobody waits for its first
      # part.
      LONGEST_SUM = 4_000_000
      # At least, unless little is left.
      SHORTEST = 40_000
      # So many times as much of all three in an owned dispatch: its worker stays with it all the same, and results come
      # by share.
      OWNED = 5
      # So many times as much of all three where chunks go to another process: a request costs some tenths of a
      # millisecond, and so an item that is alone in one. Chunks of one would look dear for ever.
      PROCESS = 8
      # Items in a chunk of a callable that was never measured.
      UNKNOWN = 4
      # So many times as long a sequential dispatch runs before it files what it has: it goes on with the same worker,
      # so nobody else gets a turn by it.
      SEQUENTIAL = 8
      # Nanoseconds of estimated work between two looks at the clock, and at whether the dispatch was cancelled.
      LOOK = 8_000
      # Items between two looks, at most, as a power of two.
      LONGEST_STRIDE = 5
      # No chunk has more items.
      MOST = 4096

      # @param workers [Integer]
      # @param backend [Symbol] what they are made of
      def initialize(workers, backend = :ractor)
        @shares = workers * 2
        @times = backend == :process ? PROCESS : 1
        freeze
      end

      # Claims a chunk.
      # @param cost [Float, nil] measured, of a unit of weight
      # @param waiting [Integer] other dispatches
      # @return [Chunk, nil] nil when nothing is left
      def cut(batch, callable, cost, waiting)
        longest = longest(callable, waiting)
        longest *= OWNED if batch.owned?
        count = size(batch, cost, longest)
        return unless (first = batch.claim(count))

        last = first + count
        last = batch.limit if last > batch.limit
        longest *= SEQUENTIAL if batch.options.sequential
        batch.kind.new(batch, callable, first, last, count == 1 ? 1 : stride(cost), longest * 2)
      end

      # @param batch [Batch] with something left to claim
      # @param longest [Integer] nanoseconds that the chunk may take
      # @return [Integer] number of items, at least 1
      def size(batch, cost, longest = LONGEST)
        left = batch.unclaimed
        return batch.limit if batch.options.sequential
        return 1 if left <= 1 || batch.alone?

        return [UNKNOWN, left.fdiv(@shares).ceil].min unless cost

        shortest = (batch.owned? ? SHORTEST * OWNED : SHORTEST) * @times
        count(batch, left, (left * batch.mean / @shares).clamp((shortest / cost).to_i, (longest / cost).to_i))
      end

      # Of small items, where many are left.
      # @param cost [Float] measured, of a unit of weight
      # @return [Range] items in a chunk
      def usual(cost)
        item = cost * WorkEstimate::ITEM
        ((SHORTEST / item).to_i.clamp(1, MOST)..(LONGEST / item).to_i.clamp(1, MOST))
      end

      # Cheap items are not asked about each, dear ones are.
      # @return [Integer] items between two looks, a power of two
      def stride(cost)
        return 1 unless cost

        nanoseconds = (cost * WorkEstimate::ITEM).to_i # of an item
        return 1 << LONGEST_STRIDE if nanoseconds.zero?

        doublings = ((LOOK - 1) / nanoseconds).bit_length
        1 << (doublings < LONGEST_STRIDE ? doublings : LONGEST_STRIDE)
      end

      private

      def longest(callable, waiting)
        return CROWDED * @times unless waiting.zero?

        Fold === callable ? [LONGEST_SUM, LONGEST * @times].max : LONGEST * @times
      end

      # How many items from the cursor on have the weight. Another worker may claim before us, then ours are others;
      # it is an estimate.
      def count(batch, left, budget)
        left = MOST if left > MOST
        items = batch.items
        place = batch.limit - batch.unclaimed
        return uniform(left, budget) unless WorkEstimate.sized?(items[place])

        taken = 0
        while taken < left
          budget -= WorkEstimate.of_one(items[place + taken])
          break if budget.negative?

          taken += 1
        end
        taken.zero? ? 1 : taken
      end

      def uniform(left, budget)
        count = budget / WorkEstimate::ITEM
        count < 1 ? 1 : [count, left].min
      end
    end
  end
end
