# frozen_string_literal: true

require "test_helper"
require "support/worker_callables"

class LocalCostCacheTest < Minitest::Test
  include WorkerCallables

  Workers = Ratomic::Workers

  def setup
    @costs = Workers::Costs.new(0.5)
    @local_costs = Workers::LocalCostCache.new(@costs, 1)
  end

  # A chunk that has run, all of it or nothing.
  def chunk(callable = Double, run: true)
    batch = Workers::Batch.new([1, 2].freeze, 2, 2, callable, Workers::Options.new, 128)
    Workers::Chunk.new(batch, callable, 0, 2, 1).tap { |made| run && made.run(Workers::SupervisedRun::Guard) }
  end

  # How many of so many chunks something is learnt from.
  def learnt(times, nanoseconds, callable = Double)
    Array.new(times) do
      before = @costs.of(callable)
      @local_costs.learn(chunk(callable), nanoseconds += 100)
      @costs.of(callable) != before
    end.count(true)
  end

  def test_only_some_short_chunks_of_a_well_known_callable_are_learnt_from
    assert_equal Workers::Costs::MIN_STABLE_RUNS, learnt(Workers::Costs::MIN_STABLE_RUNS, 1_000), "from all until then"
    assert_equal 5, learnt(5 * Workers::LocalCostCache::SAMPLE_RATE, 1_000)
    assert_equal 4, learnt(4, Workers::RunQueue::LONG_CHUNK_NS * 2), "and from all that are long"
  end

  def test_where_chunks_are_longer_longer_ones_count_as_short
    @local_costs = Workers::LocalCostCache.new(@costs, 8)
    learnt(Workers::Costs::MIN_STABLE_RUNS, 1_000)
    assert_equal 1, learnt(Workers::LocalCostCache::SAMPLE_RATE, Workers::RunQueue::LONG_CHUNK_NS * 7)
    assert_equal 4, learnt(4, Workers::RunQueue::LONG_CHUNK_NS * 8)
  end

  def test_its_copy_is_the_cost_that_was_learnt
    assert_nil @local_costs.cost(Double)
    learnt(1, 1_000)
    assert_equal @costs.of(Double), @local_costs.cost(Double)
    learnt(30, 900_000)
    assert_equal @costs.of(Double), @local_costs.cost(Double)
  end

  def test_another_callable_has_its_own_cost
    learnt(Workers::Costs::MIN_STABLE_RUNS, 1_000)
    assert_nil @local_costs.cost(Sleep)
    @local_costs.cost(Double)
    assert_equal 3, learnt(3, 1_000, Make)
    assert_equal @costs.of(Double), @local_costs.cost(Double)
  end

  def test_a_callable_that_became_caller_unsafe_meanwhile_is_learnt_from_again
    learnt(Workers::Costs::MIN_STABLE_RUNS, 1_000)
    @costs.mark_caller_unsafe(Double)
    learnt(Workers::LocalCostCache::SAMPLE_RATE, 1_000)
    assert_equal 3, learnt(3, 1_000)
  end

  def test_a_chunk_without_results_is_not_learnt_from
    @local_costs.learn(chunk(run: false), 1_000)
    assert_nil @costs.of(Double)
  end
end
