# frozen_string_literal: true

require "test_helper"
require "support/learnt_costs"
require "support/worker_callables"

class OwnedCallerRunsTest < Minitest::Test
  include LearntCosts
  include WorkerCallables

  Workers = Ratomic::Workers

  module Fresh
    def self.call(item)
      item.is_a?(Symbol) ? WorkerCallables::Misbehave.call(item) : [item.to_s, Thread.current]
    end
  end

  def setup
    @pool = Workers::Pool.new(size: 2, backend: :thread, results: :owned)
    @pool.start
  end

  def teardown
    @pool.kill
  end

  # Dispatches items that the pool takes for small.
  def dispatch(items, **options)
    pretend(Workers::Callable.key(Fresh), 1_000)
    @pool.dispatch_async(items, Fresh, **options)
  end

  def by_caller
    @pool.stats[:dispatches][:by_caller]
  end

  def test_small_work_of_a_known_callable_is_done_by_the_caller_and_not_frozen
    results = dispatch([1, 2]).value
    assert_equal [["1", Thread.current], ["2", Thread.current]], results
    refute [results, results[0], results[0][0]].any?(&:frozen?)
    assert_equal 1, by_caller
  end

  # Nothing but what it has measured says so.
  def test_what_was_measured_often_and_quickly_is_done_by_the_caller
    refute_kind_of Workers::OwnedResolvedFuture, @pool.dispatch_async([1], Fresh)
    eventually(20) { @pool.dispatch_async([1], Fresh).is_a?(Workers::OwnedResolvedFuture) }
    assert_operator by_caller, :>, 0
  end

  def test_an_item_that_raises_is_a_failure_and_counted
    results = dispatch([1, :raise_error]).value
    assert_equal "KeyError", results[1].exception_class
    assert_equal({ "KeyError" => 1 }, @pool.stats[:failures])
    assert_equal 1, by_caller
  end

  def test_longer_or_watched_work_is_for_the_pool
    assert_kind_of Workers::OwnedResolvedFuture, dispatch([1], min_batch: 2)
    [[[1], { min_batch: 0 }], [[1], { timeout: 5 }], [(0...10_000).to_a, {}]].each do |items, options|
      future = dispatch(items, **options)
      refute_kind_of Workers::OwnedResolvedFuture, future
      assert future.wait(timeout: 20) # or its workers would measure it while the next one is to be small
    end
    assert_equal 1, by_caller
  end
end
