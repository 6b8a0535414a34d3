# frozen_string_literal: true

require "test_helper"
require "support/learnt_costs"
require "support/worker_callables"
require "support/worker_pools"
require "timeout"

class WaiterRunsTest < Minitest::Test
  include LearntCosts
  include WorkerCallables
  include WorkerPools

  Workers = Ratomic::Workers

  # As {Where}, with all items in one call.
  class Many < Where
    def call_many(items)
      items.map { |item| call(item) }
    end
  end

  # One worker, which is held up: nobody but the waiter can run anything.
  def setup
    super
    @pool = new_pool(size: 1, min_batch: :auto, run: :waiter)
    @where = Where.new
    @hold = Hold.new
    hold_up
    pretend_cheap(@where)
  end

  def teardown
    @hold.open
    @where.gate.close
    super
  end

  def hold_up(pool = @pool)
    pool.dispatch_async([1], @hold, min_batch: 0)
    eventually { @hold.begun.value.positive? }
  end

  def pretend_cheap(callable, pool = @pool)
    pretend(Workers::Callable.key(callable), 100, pool)
  end

  def me
    Where.here
  end

  def dispatch(items, callable = @where, **options)
    @pool.dispatch_async(items, callable, **options)
  end

  def test_an_exception_for_the_waiter_fails_no_item_that_has_not_begun
    future = dispatch([:dear, :wait, :dear, 4, 5, 6])
    waiter = Thread.new { future.value(timeout: 50) }
    waiter.report_on_exception = false
    eventually { @where.begun.value == 2 }
    waiter.raise(IOError)
    @where.gate.push(:go)
    assert_raises(IOError) { waiter.value }
    @hold.open
    assert_empty future.value(timeout: 50).grep(Workers::Failure)
    assert_equal 6, @where.begun.value
  end

  {
    value: ->(future) { future.value(timeout: 5) }, value!: ->(future) { future.value!(timeout: 5) },
    wait: ->(future) { future.wait(timeout: 5) && future.value(timeout: 0) },
    each: ->(future) { future.each(timeout: 5).to_a },
    each_completed: ->(future) { future.each_completed(timeout: 5).map { |result, _| result } }
  }.each do |name, ask|
    define_method("test_who_asks_first_with_#{name}_runs_it") do
      future = dispatch([1, 2])
      refute_predicate future, :ready?
      assert_equal 0, @where.begun.value, "who dispatches computes nothing"
      waiter = Thread.new { [me, ask.call(future)] }
      id, results = waiter.value
      assert_equal [[id, nil]] * 2, results
      assert_equal [1, 0], @pool.stats[:dispatches].values_at(:by_waiter, :by_caller)
    end
  end

  def test_a_thread_that_does_not_wait_runs_nothing
    future = dispatch([1, 2])
    refute future.wait(timeout: 0)
    assert_raises(Workers::WaitTimeoutError) { future.value(timeout: 0) }
    assert_equal [0, 0], [@where.begun.value, future.progress.completed]
  end

  def test_a_batch_that_a_worker_has_begun_stays_with_the_workers
    future = dispatch([1, 2])
    engine_batch(future).claim(1)
    refute future.wait(timeout: 0.05)
    assert_equal 0, @where.begun.value
  end

  def engine_batch(future)
    future.instance_variable_get(:@batch)
  end

  def test_workers_run_what_nobody_asks_for
    future = dispatch([1, 2])
    @hold.open
    eventually { future.ready? }
    refute_includes future.value(timeout: 0).flatten, me
  end

  def test_large_or_unknown_work_is_for_the_workers
    futures = [dispatch([1], Where.new), dispatch([1] * 50_000), dispatch([1], @where, min_batch: 0),
               dispatch([1], @where, timeout: 10), dispatch([1], @where, results: :owned)]
    futures.each { |future| refute future.wait(timeout: 0.02) }
    assert_equal 0, @where.begun.value
  end

  def test_items_that_cannot_cross_are_for_the_workers
    skip_without_ractors # where items are shared, all cross
    future = dispatch([1, $stdout])
    refute future.wait(timeout: 0.02)
    assert_equal 0, @where.begun.value
    @hold.open
    assert_equal "Ratomic::ShareableError", within(60) { future.value(timeout: 50) }[1].exception_class
  end

  def test_failures_a_throw_and_the_context_are_as_in_a_worker
    { [1, :fail] => "KeyError", [2, :leave] => "UncaughtThrowError" }.each do |items, exception_class|
      pretend_cheap(@where)
      results = catch(:tag) { dispatch(items, @where, context: :trace).value(timeout: 5) }
      assert_equal [me, :trace], results[0]
      assert_equal [exception_class, 1], [results[1].exception_class, results[1].index]
      assert Ractor.shareable?(results)
      assert_nil Workers.context
    end
    assert_equal [1, 5, 4], [@pool.stats[:failures]["KeyError"], *@pool.stats[:items].values_at(:accepted, :finished)]
  end

  def test_runs_are_run_too
    pretend_cheap(many = Many.new)
    assert_equal [[me, nil]] * 3, dispatch([1, 2, 3], many).value(timeout: 5)
  end

  def test_reductions_are_run_too
    skip_without_ractors # there a block is not shareable, and is for workers
    fold = @pool.reduce_async([1, 2, 3], Double, initial: 0) { |sum, item| sum + item }
    40.times { costs.learn(-Ratomic::Reflection.id_of(Double), Workers::WorkEstimate::ITEM_WEIGHT, 100, 1) }
    assert_equal 12, fold.value(timeout: 5).sum
    assert_equal 1, @pool.stats[:dispatches][:by_waiter]
  end

  def test_several_waiters_run_it_once
    future = dispatch([1, 2])
    all = Array.new(4) { Thread.new { future.value(timeout: 5) } }.map(&:value)
    assert_equal 1, all.uniq.size
    assert_equal 2, @where.begun.value
  end

  def test_a_waiter_that_is_killed_leaves_the_rest_to_workers
    future = dispatch([1, :wait, 3])
    waiter = Thread.new { future.value }
    eventually { @where.begun.value == 2 }
    waiter.kill.join
    @hold.open
    results = future.value(timeout: 5)
    assert_equal "#{Process.pid} #{waiter.object_id}", results[0][0]
    assert_equal ["ThreadError", 1], [results[1].exception_class, results[1].index]
    assert_match(/waited for the dispatch/, results[1].message)
    assert_equal 3, @where.begun.value
    assert @pool.shutdown(timeout: 10), "nothing that was accepted is missing"
  end

  def test_a_waiter_that_is_killed_abandons_the_dispatch
    future = dispatch([1, :wait, 3], @where, cancel_on_abandon: true)
    waiter = Thread.new { future.value }
    eventually { @where.begun.value == 2 }
    waiter.kill.join
    assert_predicate future, :cancelled?
    assert_equal 3, future.value(timeout: 0).size
  end

  def test_dear_items_are_handed_back
    future = dispatch([:dear] * 30)
    waiter = Thread.new { future.wait(timeout: 15) }
    eventually { @pool.stats[:dispatches][:by_waiter] == 1 }
    @hold.open
    assert waiter.value
    ran = future.value(timeout: 0).map(&:first)
    assert_equal 2, ran.uniq.size, "the waiter has run the first ones, and the worker the rest"
  end

  def test_in_an_item_a_worker_does_not_run_it_twice
    outer = Ratomic::RACTORS ? Ractor.make_shareable(LexicalScope.new(@pool)) : LexicalScope.new(@pool).freeze
    other = new_pool(size: 1)
    @hold.open
    assert_equal [[2, 4]], other.dispatch_async([0], outer, min_batch: 0).value(timeout: 10)
  end

  # Dispatches, and waits for it.
  class LexicalScope
    def initialize(pool)
      @pool = pool
    end

    def call(_item)
      @pool.dispatch_async([1, 2], WorkerCallables::Double).value(timeout: 5)
    end
  end

  def test_a_pool_that_is_killed_ends_it
    future = dispatch([1, :wait, 3])
    waiter = Thread.new { future.value(timeout: 10) }
    eventually { @where.begun.value == 2 }
    @pool.kill
    @where.gate.close
    assert_equal 3, waiter.value.size
  end

  def test_threads_and_inline
    threads = new_pool(size: 1, backend: :thread, min_batch: :auto, run: :waiter)
    hold_up(threads)
    pretend_cheap(@where, threads)
    assert_equal [[me, nil]], threads.dispatch_async([1], @where).value(timeout: 5)
    inline = new_pool(backend: :inline, min_batch: :auto, run: :waiter)
    assert_predicate inline.dispatch_async([1], @where), :ready?
  end

  def test_in_another_ractor
    skip_without_ractors
    future = dispatch([1, 2])
    assert_equal 2, Ractor.new(future) { |shared| shared.value(timeout: 10) }.value.size
    assert_equal 2, @where.begun.value
  end

  def test_what_run_may_be
    assert_raises(ArgumentError) { dispatch([1], run: :me) }
  end
end
