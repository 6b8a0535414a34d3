# frozen_string_literal: true

require "test_helper"
require "support/worker_callables"

class ByCallerTest < Minitest::Test
  include WorkerCallables

  # Says in which thread it ran.
  module Where
    def self.call(item)
      send(item) if item.is_a?(Symbol)
      Thread.current.object_id
    end

    class << self
      private

      def leave
        throw :tag, 5
      end

      def fail
        raise KeyError, "no such key"
      end
    end
  end

  def setup
    @pool = Ratomic::Workers::Pool.new(size: 2)
    @pool.dispatch_async([1], Where, min_batch: 0).value(timeout: 5)
  end

  def teardown
    @pool.kill
  end

  def by_caller
    @pool.stats[:dispatches][:by_caller]
  end

  def pretend_once_slow(callable)
    @pool.instance_variable_get(:@cell)[:engine].costs
         .learn(Ratomic::Workers::Callable.key(callable), 1_000_000, 50_000_000, 1)
  end

  # Makes the pool believe that items cost so much.
  def pretend(callable, nanoseconds)
    costs = @pool.instance_variable_get(:@cell)[:engine].costs
    40.times { costs.learn(Ratomic::Workers::Callable.key(callable), Ratomic::Workers::Weight::ITEM, nanoseconds, 1) }
  end

  def test_small_work_of_a_known_callable_is_done_at_once_in_the_callers_thread
    pretend(Where, 100)
    future = @pool.dispatch_async([1, 2], Where)
    assert_predicate future, :ready?
    assert_equal [Thread.current.object_id] * 2, future.value
    assert_equal 1, by_caller
    assert_equal({ accepted: 3, finished: 3, in_flight: 0 }, @pool.stats[:items])
  end

  def test_an_unknown_callable_goes_to_the_pool
    refute_predicate @pool.dispatch_async([0.05], Sleep), :ready?
    assert_equal 0, by_caller
  end

  def test_a_callable_that_was_slow_lately_goes_to_the_pool
    pretend(Where, 100)
    pretend_once_slow(Where)
    refute_includes @pool.dispatch_async([1], Where).value(timeout: 5), Thread.current.object_id
  end

  def test_more_work_goes_to_the_pool
    pretend(Where, 900_000)
    refute_includes @pool.dispatch_async([1, 2, 3], Where).value(timeout: 5), Thread.current.object_id
    assert_equal 0, by_caller
  end

  def trials
    @pool.instance_variable_get(:@cell)[:engine].costs.trials
  end

  def test_middling_work_goes_where_the_caller_is_held_up_less
    pretend(Where, 100_000)
    assert_equal [Thread.current.object_id] * 3, @pool.dispatch_async([1, 2, 3], Where).value
    20.times { trials.learn_caller(Where, 10**12, 1) }
    20.times { trials.learn_pool(Where, 1, 1) }
    futures = Array.new(Ratomic::Workers::Trials::EVERY) do
      pretend(Where, 100_000)
      @pool.dispatch_async([1, 2, 3], Where).tap(&:wait)
    end
    assert_equal 1, futures.grep(Ratomic::Workers::Settled).size
  end

  def test_middling_work_goes_to_the_pool_while_other_work_is_there
    pretend(Where, 100_000)
    trials.learn_caller(Where, 1, 1)
    trials.learn_pool(Where, 10**12, 1)
    slow = @pool.dispatch_async([0.3], Sleep)
    futures = Array.new(3) do
      pretend(Where, 100_000)
      @pool.dispatch_async([1, 2, 3], Where)
    end
    assert_empty futures.grep(Ratomic::Workers::Settled)
    slow.wait(timeout: 5)
  end

  def test_of_a_dispatch_that_is_tried_in_the_pool_the_first_wait_counts
    pretend(Where, 100_000)
    trials.learn_caller(Where, 10**12, 1)
    future = @pool.dispatch_async([1, 2, 3], Where)
    refute_includes future.value(timeout: 5), Thread.current.object_id
    known = trials.instance_variable_get(:@by_pool)[Where]
    assert_operator known, :>, 0
    3.times { future.value }
    assert_equal known, trials.instance_variable_get(:@by_pool)[Where]
  end

  def test_a_number_says_what_is_small
    pretend(Where, 900_000)
    assert_equal [Thread.current.object_id] * 3, @pool.dispatch_async([1, 2, 3], Where, min_batch: 4).value(timeout: 5)
    refute_includes @pool.dispatch_async([1, 2, 3], Where, min_batch: 3).value(timeout: 5), Thread.current.object_id
    refute_includes @pool.dispatch_async([1], Where, min_batch: 0).value(timeout: 5), Thread.current.object_id
  end

  def test_failures_are_as_in_a_worker
    pretend(Where, 100)
    results = @pool.dispatch_async([1, :fail, +"mutable", $stdin], Where, min_batch: 0).value(timeout: 5)
    pretend(Where, 100)
    here = @pool.dispatch_async([1, :fail, +"mutable"], Where).value
    assert_equal results[1].to_h.except(:backtrace), here[1].to_h.except(:backtrace)
    assert_equal "Ratomic::ShareableError", results[3].exception_class
    refute_predicate @pool.dispatch_async([$stdin], Where), :cancelled?
    assert_equal 2, @pool.stats[:failures]["KeyError"]
  end

  def test_a_throw_stays_inside_and_the_callable_goes_to_the_pool_from_then_on
    pretend(Where, 100)
    results = catch(:tag) { @pool.dispatch_async([1, :leave, 3], Where).value }
    assert_equal [Thread.current.object_id] * 2, results.values_at(0, 2)
    assert_equal ["UncaughtThrowError", 1], [results[1].exception_class, results[1].index]
    refute_includes @pool.dispatch_async([1], Where).value(timeout: 5), Thread.current.object_id
  end

  def test_a_callable_that_ended_a_worker_is_never_run_by_the_caller
    @pool.dispatch_async([:end_thread], Misbehave).value(timeout: 5)
    pretend(Misbehave, 100)
    future = @pool.dispatch_async([:end_thread], Misbehave)
    assert_equal "ThreadError", future.value(timeout: 5)[0].exception_class
    assert_equal 0, by_caller
  end

  def test_the_callers_time_out_is_not_taken_for_an_items
    pretend(Sleep, 100)
    assert_raises(Timeout::Error) { Timeout.timeout(0.1) { @pool.dispatch_async([5], Sleep) } }
    error = Class.new(StandardError)
    pretend(Sleep, 100)
    assert_raises(error) { Timeout.timeout(0.05, error) { @pool.dispatch_async([0.2], Sleep) } }
  end

  def test_the_settled_future_answers_as_any
    pretend(Where, 100)
    future = @pool.dispatch_async([1, 2], Where)
    me = Thread.current.object_id
    assert_equal [me, me], future.each.to_a
    assert_equal [[me, 0], [me, 1]], future.each_completed.to_a
    assert_equal [me, me], future.value!
    assert_equal [2, 2], future.progress.to_a
    refute future.cancel
    assert future.wait
    assert Ractor.shareable?(future)
  end

  def test_it_sees_the_context_and_leaves_none
    reader = Ractor.make_shareable(Class.new { def call(_item) = Ratomic::Workers.context }.new)
    pretend(reader, 100)
    assert_equal [:trace], @pool.dispatch_async([1], reader, context: :trace).value
    assert_nil Ratomic::Workers.context
    assert_equal 1, by_caller
  end
end
