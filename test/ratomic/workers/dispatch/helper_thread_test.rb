# frozen_string_literal: true

require "test_helper"
require "support/mailboxes"
require "support/engine_room"
require "support/learnt_costs"
require "support/worker_pools"

class HelperThreadTest < Minitest::Test
  include Mailboxes
  include EngineRoom
  include LearntCosts
  include WorkerPools

  Workers = Ratomic::Workers
  HelperThread = Workers::HelperThread

  # Waits for what another pool makes of the item, and holds its lock meanwhile if it has one.
  class Forward
    def initialize(pool, callable, lock = nil)
      @pool = pool
      @callable = callable
      @lock = lock
    end

    def call(item)
      @lock ? @lock.synchronize { pass_on(item) } : pass_on(item)
    end

    private

    def pass_on(item)
      @pool.dispatch_async([item], @callable).value[0]
    end
  end

  def new_pool(**options)
    super(size: 1, backend: :thread, **options)
  end

  def engine_of(pool)
    pool.instance_variable_get(:@cell)[:engine]
  end

  # An engine by itself, all of whose workers wait for another that waits for it.
  def in_a_circle(size: 1)
    other = new_pool.start
    @engine = Workers::Engine.new(Workers::Settings.new(size: size, backend: :thread), @mailbox = open_mailbox)
    Workers::Pool::RUNNING[@engine.number] = [nil, @engine].freeze
    size.times { |n| @engine.run_queue.waiting[n] = engine_of(other).number }
    engine_of(other).run_queue.waiting[0] = @engine.number
    yield
  ensure
    Workers::Pool::RUNNING.delete(@engine.number)
    @mailbox.close
  end

  # The item that waits has the lock, and another one, which is in its run queue, wants it.
  def test_a_waiter_goes_on_as_soon_as_its_results_are_there
    one = new_pool
    forward = Forward.new(new_pool, Sleep, Thread::Mutex.new)
    futures = Array.new(3) { one.dispatch_async([0.1], forward) }
    assert_equal [[0.1]] * 3, futures.map { |future| future.value(timeout: 10) }
    eventually { engine_of(one).run_queue.waiting.empty? }
  end

  def test_in_a_pipeline_nobody_stands_in
    one = new_pool
    forward = Forward.new(new_pool, Sleep)
    futures = Array.new(20) { one.dispatch_async([0.02], forward) }
    compensating = []
    until futures.last.wait(timeout: 0.01)
      compensating << engine_of(one).run_queue.compensating.value
      ready = futures.reverse.map(&:ready?).reverse # the last first: meanwhile others may become ready
      assert_equal ready.sort_by { |done| done ? 0 : 1 }, ready, "in their order"
    end
    assert_equal [0], compensating.uniq
  end

  def test_items_that_a_helper_runs_do_not_end_with_the_item_that_waits
    one = new_pool
    tally = Tally.new
    hold = Hold.new
    slow = ->(item) { (item != 5 || hold.call(item)) && tally.call(item) }
    inner = Thread::Queue.new
    ended = Thread::Queue.new
    outer = lambda do |_item|
      one.dispatch_async((0...20).to_a, slow, sequential: true).tap { |future| inner << future }.value
    ensure
      ended << true
    end
    waiting = one.dispatch_async([1], outer)
    eventually { hold.begun.value == 1 }
    assert waiting.cancel(interrupt: true)
    assert_equal "Ratomic::Workers::CancelledError", waiting.value(timeout: 5)[0].exception_class
    assert within(5) { ended.pop }
    hold.open
    assert_equal (0...20).to_a, inner.pop.value!(timeout: 10)
    assert_equal (0...20).to_h { |item| [item, 1] }, tally.calls.to_h
  end

  def test_it_serves_until_there_is_nothing_to_do_or_a_worker_comes_back
    in_a_circle(size: 2) do
      made = Array.new(2) { batch([1, 2]).tap { |each| @engine.run_queue.try_push(each) } }
      assert HelperThread.needed?(@engine)
      assert HelperThread.stand_in(@engine).join(5)
      made.each { |each| assert_results [2, 4], each }
      refute HelperThread.needed?(@engine)
      @engine.run_queue.waiting.delete(0)
      @engine.run_queue.try_push(batch([3]))
      refute HelperThread.needed?(@engine)
      assert HelperThread.stand_in(@engine).join(5)
      assert_equal [1, 0], [@engine.run_queue.size, @engine.run_queue.compensating.value]
    end
  end

  def test_a_cancelled_batch_is_not_run_by_a_compensating_thread
    in_a_circle do
      tally = Tally.new
      @engine.run_queue.try_push((made = batch([1, 2], tally)).part(0, 2))
      @engine.stop(made, Workers::PoolFailures::KILLED)
      assert HelperThread.stand_in(@engine).join(5)
      assert_empty tally.calls
    end
  end

  # Otherwise the next circle of the pool would not be seen.
  def test_a_helper_that_is_killed_before_it_runs_is_not_counted
    in_a_circle do
      20.times { HelperThread.stand_in(@engine).kill.join(5) }
      assert_predicate @engine.run_queue.compensating, :zero?
    end
  end

  # Nobody else knows that its chunk is lost.
  def test_the_coordinator_hears_of_a_helper_that_is_killed_while_it_runs_a_chunk
    in_a_circle do
      @engine.run_queue.try_push(made = batch([1, 2], hold = Hold.new))
      messages = told do
        helper = HelperThread.stand_in(@engine)
        eventually { hold.begun.value == 1 }
        assert helper.kill.join(5)
      end
      assert_includes messages, [:audit, made]
    end
  end

  # What is left of a chunk that took too long is in the run queue, where the only worker does not come.
  def test_a_pool_does_not_wait_for_what_it_has_cut_itself
    pool = new_pool
    pool.start
    pretend(Sleep, 100, pool) # all in a chunk
    inner = pool.dispatch_async([0.01] * 60, Sleep)
    outer = pool.dispatch_async([inner], ->(future) { future.value.size })
    assert_equal [60], outer.value(timeout: 10)
  end

  def test_an_item_that_waits_is_woken_by_a_cancel_and_gets_results_as_they_come
    pool = new_pool
    hold = Hold.new
    inner = Thread::Queue.new
    outer = pool.dispatch_async([1], ->(_) { pool.dispatch_async([1], hold).tap { |future| inner << future }.value })
    eventually { hold.begun.value == 1 }
    assert inner.pop.cancel
    assert_equal "Ratomic::Workers::CancelledError", outer.value(timeout: 5)[0][0].exception_class
    first = pool.dispatch_async([1], ->(_) { pool.dispatch_async([1, 2, 3, 4], hold, min_batch: 0).each.first })
    eventually { hold.begun.value == 2 }
    hold.open(5)
    assert_equal [1], first.value(timeout: 5)
  end

  def test_a_batch_that_only_workers_can_run_goes_back_into_the_run_queue
    in_a_circle do
      moved = Workers::Batch.new(nil, 2, 1, Double, Workers::Options.new(move: true), 64)
      @engine.run_queue.try_push(moved)
      assert HelperThread.stand_in(@engine).join(5)
      assert_same moved, @engine.run_queue.try_pop
    end
  end

  class EndThread < Hold
    def call(item)
      super
      Thread.exit
    end
  end

  # Its chunk is cut after the thread that waits has what it waited for.
  def test_what_a_helper_leaves_of_a_chunk_goes_into_the_run_queue
    in_a_circle do
      made = batch([1, 2, 3], hold = EndThread.new, sequential: true)
      HelperThread.help(@engine, made) { eventually { hold.begun.value == 1 } }
      hold.open
      eventually { @engine.run_queue.size == 1 }
      assert_equal 2, @engine.run_queue.try_pop.unclaimed
    end
  end

  def test_a_batch_that_it_took_from_a_killed_pool_is_not_lost
    in_a_circle do
      @engine.run_queue.try_push(made = batch([1, 2]))
      taken = @engine.run_queue.try_pop
      @engine.kill
      refute_predicate made.completion, :complete?
      HelperThread.help(@engine, taken) { assert made.completion.wait(5) }
      assert_equal ["Ratomic::Workers::ShutdownError"] * 2, made.completion.to_a.map(&:exception_class)
    end
  end
end
