# frozen_string_literal: true

require "test_helper"
require "support/learnt_costs"
require "support/per_worker_contract"
require "support/worker_pools"

class AroundTest < Minitest::Test
  include LearntCosts
  include WorkerCallables
  include WorkerPools

  Workers = Ratomic::Workers
  Note = PerWorkerContract::Note

  # Has its own way to sum.
  module Sum
    extend WorkerCallables::Summing

    def self.call(item)
      item
    end
  end

  def begun
    before = Note.begun
    yield
    Note.begun - before
  end

  # The stages of a pipeline that worker processes run are counted there and added here.
  def test_the_stages_of_a_pipeline_are_counted_also_around_items_in_processes
    pool = new_pool(backend: :process, around: Note)
    pipeline = Workers.pipeline(Double, Sum)
    assert_equal [2, 4], within(30) { pool.dispatch_async([1, 2], pipeline).value(timeout: 25) }
    assert_equal([2, 2], pipeline.stats.map { |stage| stage[:entered] })
    within(30) { pool.reduce([1, 2], pipeline, initial: 0) { |sum, item| sum + item } }
    assert_equal([4, 4], pipeline.stats.map { |stage| stage[:entered] })
  end

  def test_a_pool_may_have_it_for_all
    pool = new_pool(around: Note)
    assert_equal(2, begun { assert_equal [2, 4], pool.map([1, 2], Double) })
    assert_equal(3, begun { assert_equal [2, 4, 6], pool.stream([1, 2, 3], Double).to_a })
  end

  def test_reductions_have_it_around_each_item
    pool = new_pool(around: Note)
    assert_equal(3, begun { assert_equal 6, pool.reduce([1, 2, 3], Sum).sum })
    assert_equal(3, begun { assert_equal 12, pool.reduce([1, 2, 3], Double, initial: 0) { |sum, n| sum + n }.sum })
  end

  def test_callers_have_it_too_also_with_the_native_cache
    pool = new_pool(min_batch: :auto)
    pool.dispatch_async([1], Double).value(timeout: 5)
    costs(pool).caller_runs_cache.grant(Double, Double.object_id, 64_000, 9)
    assert_equal(1, begun { pool.dispatch_async([1].freeze, Double, around: Note).value(timeout: 5) })
    pretend(Double, 100, pool)
    assert_equal(1, begun { assert_predicate pool.dispatch_async([1], Double, around: Note), :ready? })
    assert_equal 1, pool.stats[:dispatches][:by_caller]
  end

  def test_costs_are_learnt_for_the_callable_and_not_for_what_is_around
    pool = new_pool
    20.times { pool.dispatch_async([1], Double, around: Note).value(timeout: 5) }
    assert_equal ["WorkerCallables::Double"], pool.stats[:costs].keys
  end

  def test_threads_may_have_a_callable_that_is_not_shareable
    pool = new_pool(backend: :thread)
    seen = []
    assert_equal [1, 2], pool.dispatch_async([1, 2], ->(item) { seen << item && item }, around: Note).value(timeout: 5)
    assert_equal [1, 2], seen.sort
    assert_equal 0, refs_kept
  end

  def test_an_object_that_cannot_be_around_is_refused
    assert_raises(Workers::CallableError) { new_pool(around: 5) }
    assert_raises(Workers::CallableError) { new_pool.dispatch_async([1], Object.new.freeze, around: Note) }
  end
end
