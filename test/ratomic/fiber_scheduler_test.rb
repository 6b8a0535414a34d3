# frozen_string_literal: true

require "test_helper"
require "support/fiber_scheduler"
require "support/learnt_costs"
require "support/worker_callables"
require "timeout"

# Whoever waits in a Fiber of a scheduler lets its other Fibers run.
class FiberSchedulerTest < Minitest::Test
  include LearntCosts

  NAP_S = 0.05

  # An item that is done when the other Fiber has napped twice.
  module AfterTwoNaps
    def self.call(napped)
      2.times { napped.pop(timeout: 20) }
    end
  end

  def setup
    @napped = Ratomic::Queue.new(1024) # gets an item when a nap ends, of which few are taken
  end

  # @return [Array(Object, Integer)] what the block returned, and how many naps another Fiber had ended by then
  def beside_naps(&wait)
    within(20) do
      FiberScheduler.run do
        done = 0
        answer = nil
        Fiber.schedule { answer = [wait.call, done] }
        Fiber.schedule { sleep(NAP_S) && (done += 1) && @napped << true until answer }
        Fiber.scheduler.run_until { answer }
        answer
      end
    end
  end

  # In another thread, when the other Fiber has napped.
  def later
    Thread.new { @napped.pop && yield }
  end

  def test_a_pop_that_another_thread_ends
    queue = Ratomic::Queue.new(1)
    later { queue << :item }
    item, naps = beside_naps { queue.pop }
    assert_equal :item, item
    assert_operator naps, :>=, 1
  end

  def test_a_pop_that_another_ractor_ends
    skip_without_ractors
    queue = Ratomic::Queue.new(1)
    Ractor.new(queue, @napped) { |shared, napped| napped.pop && shared << :item }
    item, naps = beside_naps { queue.pop }
    assert_equal :item, item
    assert_operator naps, :>=, 1
  end

  def test_a_push_and_a_pop_of_two_fibers
    queue = Ratomic::Queue.new(1)
    got = within(20) do
      FiberScheduler.run do
        list = []
        Fiber.schedule { 10.times { list << queue.pop } }
        Fiber.schedule { 10.times { |number| queue << number } }
        Fiber.scheduler.run_until { list.size == 10 }
        list
      end
    end
    assert_equal (0...10).to_a, got
  end

  def test_a_wait_may_end_by_its_timeout
    queue = Ratomic::Queue.new(1)
    item, naps = beside_naps { queue.pop(timeout: NAP_S * 20) }
    assert_nil item
    assert_operator naps, :>=, 1
  end

  def test_a_close_ends_a_wait
    queue = Ratomic::Queue.new(1)
    later { queue.close }
    assert_nil beside_naps { queue.pop }.first
  end

  def test_fibers_run_beside_a_wait_for_a_future
    pool = Ratomic::Workers::Pool.new(size: 1, min_batch: 0)
    future = pool.dispatch_async([@napped], AfterTwoNaps)
    results, naps = beside_naps { future.value(timeout: 10) }
    assert_equal [2], results
    assert_operator naps, :>=, 2
    @napped.clear
    naps = beside_naps { pool.dispatch_async([@napped], AfterTwoNaps).each.to_a }.last
    assert_operator naps, :>=, 2
  ensure
    pool.shutdown
  end

  # Waits, and returns the context before and after that.
  class ReadContext
    def call(_item)
      before = Ratomic::Workers.context
      sleep(NAP_S)
      [before, Ratomic::Workers.context]
    end
  end

  # An item that the caller runs lets the other Fibers of its thread run when it waits.
  def test_items_of_two_fibers_find_each_the_context_of_its_own_dispatch
    pool = Ratomic::Workers::Pool.new(size: 1)
    [{}, { run: :waiter }].each do |options|
      readers = Array.new(2) { Ractor.make_shareable(ReadContext.new) }
      readers.each { |reader| pool.dispatch_async([1], reader, min_batch: 0).value(timeout: 10) }
      readers.each { |reader| pretend(Ratomic::Workers::Callable.key(reader), 1_000, pool) }
      pool.dispatch_async([1], hold = WorkerCallables::Hold.new, min_batch: 0)
      eventually { hold.begun.value == 1 }
      seen = within(20) do
        FiberScheduler.run do
          found = {}
          readers.each_with_index do |reader, fiber|
            Fiber.schedule { found[fiber] = pool.dispatch_async([1], reader, context: fiber, **options).value }
          end
          hold.open # both Fibers have asked for their results: the worker has come after them
          Fiber.scheduler.run_until { found.size == 2 }
          found
        end
      end
      assert_equal({ 0 => [[0, 0]], 1 => [[1, 1]] }, seen, options.to_s)
    end
  ensure
    pool.shutdown
  end

  # Waits in its item for what another Fiber gives it.
  class Given
    def initialize(queue)
      @queue = queue
      Ractor.make_shareable(self)
    end

    def call(_item)
      @queue.pop(timeout: 20)
    end
  end

  # As in an item with a context that runs a Fiber scheduler. A callable that callers run takes the short way, see
  # CallerRuns.
  def test_a_dispatch_without_a_context_does_not_take_that_of_its_thread_from_other_fibers
    given = Given.new(queue = Ratomic::Queue.new(8))
    pool = Ratomic::Workers::Pool.new(size: 1)
    queue << :first
    pool.dispatch_async([1], given, min_batch: 0).value(timeout: 10)
    grant = -> { costs(pool).caller_runs_cache.grant(given, given.object_id, 64_000, 9) }
    found = results = by_caller = nil
    within(20) do
      FiberScheduler.run do
        Ratomic::Workers::Context.with(:mine) do
          grant.call
          Fiber.schedule { results = pool.dispatch_async([1], given).value }
          Fiber.schedule { (found = [Ratomic::Workers.context]) && queue << :second }
          Fiber.scheduler.run_until { results }
        end
        queue << :third
        grant.call
        by_caller = pool.dispatch_async([1], given) # here it has no context to hide
      end
    end
    assert_equal [[:mine], [:second]], [found, results]
    assert_kind_of Ratomic::Workers::ResolvedFuture, by_caller
  ensure
    pool.shutdown
  end

  def test_fibers_run_beside_a_wait_for_a_claim_of_a_map
    map = Ratomic::Map.new
    entered = Thread::Queue.new
    holder = Thread.new { map.compute(:key) { entered << true && @napped.pop && 1 } }
    entered.pop
    value, naps = beside_naps { map.increment(:key) }
    assert_equal 2, value
    assert_operator naps, :>=, 1
    holder.join
  end

  # Two Fibers that borrow the only object of a pool, and nap with it.
  # @return [Array<Integer>] the number of each, when it gets the object and before it gives it back
  def borrowed_in_turn(pool)
    within(20) do
      FiberScheduler.run do
        order = []
        2.times { |number| Fiber.schedule { pool.with { order << number && sleep(NAP_S) && order << number } } }
        Fiber.scheduler.run_until { order.size == 4 }
        order
      end
    end
  end

  def test_fibers_run_beside_a_wait_for_a_resource_of_a_local_pool
    pool = Ratomic::LocalPool.new(size: 1, factory: Maker)
    assert_equal [0, 0, 1, 1], borrowed_in_turn(pool)
  end

  # What a LocalPool makes.
  module Maker
    def self.call = Object.new
  end

  def test_fibers_run_beside_a_wait_for_an_object_of_a_pool
    skip_without_ractors
    pool = Ratomic::Pool.new(size: 1, timeout: 10) { [] }
    assert_equal 2, borrowed_in_turn(pool).each_slice(2).count { |one, other| one == other }
  ensure
    pool&.close
  end

  def test_an_error_that_is_raised_in_the_fiber_ends_the_wait_and_its_thread
    queue = Ratomic::Queue.new(1)
    assert_leaves_nothing do
      error, = beside_naps do
        Fiber.scheduler.timeout_after(NAP_S, Timeout::Error, "over") { queue.pop }
      rescue Timeout::Error => e
        e
      end
      assert_equal "over", error.message
    end
    assert_equal 0, queue.num_waiting
    assert_equal :item, (queue << :item) && queue.pop
  end

  def test_a_thread_that_is_killed_while_its_fibers_wait
    queue = Ratomic::Queue.new(1)
    assert_leaves_nothing do
      thread = Thread.new { FiberScheduler.run { Fiber.schedule { queue.pop } && Fiber.scheduler.run_until { false } } }
      eventually { queue.num_waiting == 1 }
      thread.kill
      queue.close
      within(10) { thread.join }
    end
  end

  # Schedulers that leave their Fibers, which are never resumed. Then the waits end.
  LEFT_BEHIND = <<~'RUBY'
    require "ratomic"
    require "support/fiber_scheduler"

    class Leaving < FiberScheduler
      def close
      end
    end

    WAITS = ARGV.fetch(0).to_i
    queue = Ratomic::Queue.new(1)
    WAITS.times { Thread.new { Fiber.set_scheduler(Leaving.new) && Fiber.schedule { queue.pop } }.join }
    sleep 0.001 until queue.num_waiting == WAITS
    waits = Thread.list.select { |thread| thread.name == "ratomic-fiber-wait" }
    2.times { GC.start }
    GC.compact if GC.respond_to?(:compact)
    1_000.times { Fiber.new { "another stack" * 100 }.resume }
    queue.close
    waits.each(&:join)
    print waits.size
  RUBY

  def test_a_wait_may_end_after_the_thread_of_its_fiber_has_ended
    assert_equal "20", ruby!("$LOAD_PATH << #{File.expand_path("..", __dir__).inspect}\n#{LEFT_BEHIND}", "20")
  end

  # The threads that sleep in place of Fibers.
  def sleepers
    Thread.list.select { |thread| thread.name == "ratomic-fiber-wait" }
  end

  def test_a_wait_goes_on_when_the_thread_that_sleeps_for_it_is_killed
    queue = Ratomic::Queue.new(1)
    item = within(20) do
      FiberScheduler.run do
        item = nil
        Fiber.schedule { item = queue.pop }
        Thread.new do
          first, = eventually { sleepers.any? && sleepers }.each(&:kill).each(&:join)
          eventually { (sleepers - [first]).any? }
          queue << :item
        end
        Fiber.scheduler.run_until { item }
        item
      end
    end
    assert_equal :item, item
  end

  def test_a_wait_goes_on_when_its_fiber_is_resumed_without_a_reason
    queue = Ratomic::Queue.new(1)
    item = within(20) do
      FiberScheduler.run do
        item = nil
        waits = Fiber.schedule { item = queue.pop }
        3.times { waits.resume(true) }
        queue << :item
        Fiber.scheduler.run_until { item }
        item
      end
    end
    assert_equal :item, item
  end

  # Resumes each Fiber that it is told of, whether it waits or not.
  class Unasking < FiberScheduler
    private

    def resume(fiber, answer)
      fiber.resume(answer) if fiber&.alive?
    end
  end

  # Here the thread that sleeps has ended before its Fiber waits for it.
  def test_a_wait_that_is_over_before_it_begins_does_not_end_the_next_one
    seconds = within(20) do
      Thread.new do
        Fiber.set_scheduler(Unasking.new)
        seconds = nil
        Fiber.schedule do
          first = TracePoint.new(:c_call) do |trace|
            Thread.pass while trace.method_id == :report_on_exception= && sleepers.any?
          end
          first.enable { Ratomic::Queue.new(1).pop(timeout: 0.001) }
          began = Process.clock_gettime(Process::CLOCK_MONOTONIC)
          sleep(0.2)
          seconds = Process.clock_gettime(Process::CLOCK_MONOTONIC) - began
        end
        Fiber.scheduler.run_until { seconds }
        seconds
      end.value
    end
    assert_operator seconds, :>=, 0.2
  end

  # Ends the wait of a Fiber with an error, and returns the error that it got.
  def error_of_raise(&wait)
    within(20) do
      FiberScheduler.run do
        error = nil
        waits = Fiber.schedule do
          wait.call
        rescue StandardError => e
          error = e
        end
        waits.raise(IOError, "ended")
        Fiber.scheduler.run_until { error }
        error
      end
    end
  end

  def test_an_error_that_is_raised_in_a_fiber_ends_its_wait_for_a_resource_of_a_local_pool
    pool = Ratomic::LocalPool.new(size: 1, timeout: nil, factory: Maker)
    resource = pool.checkout
    error = error_of_raise { pool.with { flunk "it was not free" } }
    assert_equal "IOError: ended", "#{error.class}: #{error.message}"
    pool.checkin(resource)
    assert_same resource, within(10) { pool.with { |lent| lent } }
  end

  def test_an_error_that_is_raised_in_a_fiber_ends_its_wait_for_a_result_of_a_stream
    pool = Ratomic::Workers::Pool.new(size: 1)
    held = Thread::Queue.new
    source = Enumerator.new { |items| held.pop && items << 1 }
    error = error_of_raise { pool.stream(source, WorkerCallables::Double).each { flunk "there was an item" } }
    assert_equal "IOError: ended", "#{error.class}: #{error.message}"
    assert_empty Thread.list.map(&:name).grep("ratomic-#{pool.name}-stream")
  ensure
    pool.shutdown
  end

  def test_without_a_scheduler_in_a_blocking_fiber_nothing_changes
    queue = Ratomic::Queue.new(1)
    Thread.new { sleep(NAP_S) && queue << :item }
    assert_equal :item, within(10) { Fiber.new(blocking: true) { queue.pop }.resume }
  end
end
