# frozen_string_literal: true

require "test_helper"

class ChunkerTest < Minitest::Test
  Workers = Ratomic::Workers
  Key = Comparable

  def setup
    @costs = Workers::Costs.new(0.5)
    @chunker = Workers::Chunker.new(2, Workers::Backend.of(:thread))
  end

  def batch(items, **options)
    items = Workers::Transfer.pack(items)
    Workers::Batch.new(items, items.size, items.size, Key, Workers::Options.new(options),
                       Workers::WorkEstimate.of(items))
  end

  def size(batch)
    @chunker.size(batch, @costs.of(Key))
  end

  # Claims all of it as one worker would.
  def chunks_of(batch)
    sizes = []
    while (first = batch.claim(count = size(batch)))
      sizes << ([first + count, batch.limit].min - first)
    end
    sizes
  end

  def learn(nanoseconds_per_item)
    @costs.learn(Key, Workers::WorkEstimate::ITEM_WEIGHT, nanoseconds_per_item, 1)
  end

  def test_the_chunks_of_a_reduction_are_longer_while_nobody_waits
    learn(10_000)
    fold = Workers.const_get(:Fold)::OfObject.new(Key, 1, false)
    sizes = [[Key, 0], [fold, 0], [fold, 1]].map do |callable, waiting|
      chunk = @chunker.cut(batch((0...100_000).to_a), callable, @costs.of(Key), waiting)
      chunk.last - chunk.first
    end
    assert_equal [49, 399, 19], sizes
  end

  def test_the_chunks_for_another_process_are_longer
    learn(100_000)
    sizes = %i[ractor process].map do |backend|
      chunker = Workers::Chunker.new(2, Workers::Backend.of(backend))
      [0, 1].map do |waiting|
        chunk = chunker.cut(batch((0...100_000).to_a), Key, @costs.of(Key), waiting)
        chunk.last - chunk.first
      end
    end
    assert_equal [[4, 1], [159, 15]], sizes
  end

  def test_every_item_is_in_exactly_one_chunk
    [1, 2, 3, 7, 100, 12_345].each do |count|
      assert_equal count, chunks_of(batch((0...count).to_a)).sum
      learn(1000)
      assert_equal count, chunks_of(batch((0...count).to_a)).sum
    end
  end

  def test_callables_without_a_measured_cost_get_small_chunks
    assert_equal Workers::Chunker::UNMEASURED_ITEMS, size(batch((0...1_000_000).to_a))
  end

  def test_a_chunk_is_no_longer_than_other_dispatches_may_wait
    learn(10_000)
    assert_in_delta Workers::Chunker::MAX_CHUNK_NS / 10_000, size(batch((0...100_000).to_a)), 2
    learn(1e9.to_i)
    20.times { learn(1e9.to_i) }
    assert_equal 1, size(batch((0...100_000).to_a))
  end

  def test_cheap_items_are_not_claimed_one_by_one
    learn(100)
    assert_operator size(batch((0...100).to_a)), :>=, 100
  end

  def test_chunks_shrink_towards_the_end
    learn(10_000)
    sizes = chunks_of(batch((0...150).to_a))
    assert_equal sizes, sizes.sort.reverse
    assert_operator sizes.first, :>, sizes.last
  end

  def test_a_large_item_does_not_hide_behind_small_ones
    items = Array.new(50) { |i| "x" * (100 + i) } << ("y" * 78_000)
    @costs.learn(Key, Workers::WorkEstimate.of(items), 600_000, items.size)
    batch = batch(items)
    claims = []
    while (first = batch.claim(count = size(batch)))
      claims << (first...(first + count))
    end
    start = claims.find { |claim| claim.cover?(50) }.begin
    assert_operator 50 - start, :<=, 5, "the large item waits for #{50 - start} small ones"
  end

  def test_a_sequential_batch_is_claimed_as_one
    assert_equal [1000], chunks_of(batch((0...1000).to_a, sequential: true))
  end

  # Its worker goes on with it all the same, and each piece has to be filed.
  def test_a_sequential_batch_is_not_cut_as_soon_as_others
    learn(10_000)
    limits = [false, true].map do |sequential|
      chunk = @chunker.cut(batch((0...1000).to_a, sequential: sequential), Key, @costs.of(Key), 1)
      chunk.instance_variable_get(:@limit)
    end
    assert_equal limits[0] * Workers::Chunker::SEQUENTIAL_FACTOR, limits[1]
  end

  def test_isolated_items_run_alone
    assert_equal [1] * 5, chunks_of(batch((0...100).to_a).isolated_part(20, 25))
  end
end
