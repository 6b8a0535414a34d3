# frozen_string_literal: true

require "test_helper"
require "support/worker_callables"

class FailingTest < Minitest::Test
  include WorkerCallables

  Workers = Ratomic::Workers

  def setup
    @pool = Workers::Pool.new(size: 2, min_batch: 0)
    @hold = Hold.new
  end

  def teardown
    @hold.open
    @pool.kill
  end

  def test_the_failures_are_those_of_their_items
    future = @pool.dispatch_async([:raise_error, 1, :raise_error], Misbehave)
    assert_equal [0, 2], future.failures(timeout: 5).map(&:index)
    assert_predicate future, :failed?
    assert_predicate future.failures, :frozen?
    fine = @pool.dispatch_async([1, 2], Misbehave)
    assert_empty fine.failures(timeout: 5)
    refute_predicate fine, :failed?
  end

  def test_a_failure_is_seen_before_the_rest_is_done
    refused = Ractor.make_shareable(Object.new.tap do |callable|
      hold = @hold
      callable.instance_variable_set(:@hold, hold)
      def callable.call(item) = item == :bad ? raise("bad") : @hold.call(item)
    end)
    future = @pool.dispatch_async([1, :bad], refused)
    eventually { future.failed? }
    assert_raises(Workers::WaitTimeoutError) { future.failures(timeout: 0.01) }
    @hold.open
    assert_equal [1], future.failures(timeout: 5).map(&:index)
  end

  def test_the_failures_of_a_cancelled_dispatch_have_the_places_of_their_items
    future = @pool.dispatch_async([1, 2, 3, 4], @hold)
    future.cancel
    assert_predicate future, :failed?
    assert_equal future.value.grep(Workers::Failure).map(&:index), future.failures.map(&:index)
    assert_includes future.failures.map(&:exception_class), Workers::CancelledError.name
  end

  def test_every_kind_of_future_has_them
    small = Workers::Pool.new(size: 1)
    way = lambda do |options|
      50.times do
        future = small.dispatch_async([1, :raise_error, :raise_error], Misbehave, **options)
        assert_equal [1, 2], future.failures(timeout: 5).map(&:index), future.class
        assert_predicate future, :failed?
        assert_equal 3, future.value(timeout: 5).size # nothing was taken
        assert_equal [1, 2], future.failures.map(&:index) if future.is_a?(Workers::OwnedFuture)
      end
    end
    [{}, { results: :owned }, { min_batch: 10 }, { min_batch: 10, results: :owned }].each(&way)
  ensure
    small&.kill
  end
end
