# frozen_string_literal: true

require "test_helper"
require "support/worker_callables"

class OwnedCallerRunsTest < Minitest::Test
  include WorkerCallables

  module Fresh
    def self.call(item)
      item.is_a?(Symbol) ? WorkerCallables::Misbehave.call(item) : [item.to_s, Thread.current]
    end
  end

  def setup
    @pool = Ratomic::Workers::Pool.new(size: 2, backend: :thread, results: :owned)
  end

  def teardown
    @pool.kill
  end

  # Dispatches until callers run it themselves.
  def learn(callable = Fresh)
    eventually(20) { @pool.dispatch_async([1], callable).is_a?(Ratomic::Workers::OwnedResolvedFuture) }
  end

  def test_small_work_of_a_known_callable_is_done_by_the_caller_and_not_frozen
    learn
    before = @pool.stats[:dispatches][:by_caller]
    results = @pool.dispatch_async([1, 2], Fresh).value
    assert_equal [["1", Thread.current], ["2", Thread.current]], results
    refute [results, results[0], results[0][0]].any?(&:frozen?)
    assert_equal before + 1, @pool.stats[:dispatches][:by_caller]
  end

  def test_an_item_that_raises_is_a_failure_and_counted
    learn
    results = @pool.dispatch_async([1, :raise_error], Fresh).value
    assert_equal "KeyError", results[1].exception_class
    assert_equal({ "KeyError" => 1 }, @pool.stats[:failures])
  end

  def test_longer_or_watched_work_is_for_the_pool
    learn
    assert_kind_of Ratomic::Workers::OwnedResolvedFuture, @pool.dispatch_async([1], Fresh, min_batch: 2)
    refute_kind_of Ratomic::Workers::OwnedResolvedFuture, @pool.dispatch_async([1], Fresh, min_batch: 0)
    refute_kind_of Ratomic::Workers::OwnedResolvedFuture, @pool.dispatch_async([1], Fresh, timeout: 5)
    refute_kind_of Ratomic::Workers::OwnedResolvedFuture, @pool.dispatch_async((0...100_000).to_a, Fresh)
  end
end
