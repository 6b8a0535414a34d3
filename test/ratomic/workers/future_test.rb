# frozen_string_literal: true

require "test_helper"
require "support/worker_callables"

class FutureTest < Minitest::Test
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

  def test_a_value_that_comes_too_late_says_how_far_it_is_and_stays_good
    future = @pool.dispatch_async([1, 2, 3], @hold)
    @hold.open(1)
    eventually { future.progress.completed == 1 }
    error = assert_raises(Workers::TimeoutError) { future.value(timeout: 0.05) }
    assert_equal [1, 3], [error.completed, error.total]
    assert_match(/1 of 3 items are done after 0.05 s/, error.message)
    assert_raises(Workers::TimeoutError) { future.value(timeout: 0) }
    refute_predicate future, :ready?
    refute future.wait(timeout: 0)
    @hold.open
    assert_equal [1, 2, 3], future.value(timeout: 5)
    assert_equal [1, 2, 3], future.value!
    assert future.wait
  end

  def test_progress_counts_items
    future = @pool.dispatch_async([1, 2], @hold)
    assert_equal [0, 2], future.progress.to_a
    @hold.open(1)
    eventually { future.progress.completed == 1 }
    assert_in_delta 0.5, future.progress.fraction
    assert_match(/1 of 2 items/, future.inspect)
  end

  def test_each_yields_what_is_there_before_the_rest_is_done
    future = @pool.dispatch_async([1, 2, 3, 4], @hold, sequential: true)
    stream = future.each
    @hold.open(4)
    assert_equal [1, 2, 3, 4], within(5) { stream.to_a }
    assert_equal 4, stream.size
  end

  def test_each_completed_yields_in_the_order_of_completion
    results = []
    within(10) do
      @pool.dispatch_async(%i[last b c], Last.new(@hold)).each_completed do |result, index|
        results << [index, result]
        @hold.open if results.size == 2
      end
    end
    assert_equal [[0, :last], [1, :b], [2, :c]], results.sort
    assert_equal 0, results.last[0]
  end

  # One item waits until it may go on.
  class Last
    def initialize(hold)
      @hold = hold
      freeze
    end

    def call(item)
      item == :last ? @hold.call(item) : item
    end
  end

  def test_results_that_do_not_come_in_time_end_each
    future = @pool.dispatch_async([1, 2], @hold)
    assert_raises(Workers::TimeoutError) { within(5) { future.each(timeout: 0.05) { flunk } } }
    assert_raises(Workers::TimeoutError) { within(5) { future.each_completed(timeout: 0.05) { flunk } } }
  end

  def test_items_that_were_cancelled_before_they_began_never_run
    first = @pool.dispatch_async([1, 2], @hold)
    eventually { @hold.begun.value == 2 }
    tally = Tally.new
    future = @pool.dispatch_async((0...100).to_a, tally)
    waiter = Thread.new { future.value }
    until_asleep(waiter)
    assert future.cancel
    refute future.cancel
    assert_predicate future, :cancelled?
    results = within(5) { waiter.value }
    assert_equal (0...100).to_a, results.map(&:index)
    assert_equal ["Ratomic::Workers::CancelledError"], results.map(&:exception_class).uniq
    assert_raises(Workers::CancelledError) { future.value! }
    @hold.open
    assert_equal [1, 2], first.value(timeout: 5)
    assert_equal [7], @pool.dispatch_async([7], tally).value(timeout: 5)
    assert_equal({ 7 => 1 }, tally.calls.to_h)
  end

  def test_the_failures_of_what_timed_out_name_their_items
    future = @pool.dispatch_async([1, 2, 3], @hold, timeout: 0.05)
    assert_equal [0, 1, 2], future.value(timeout: 5).map(&:index)
    assert_match(/0 of 3 items were done/, assert_raises(Workers::DispatchTimeoutError) { future.value! }.message)
  end

  # Asked for an error, it makes none of the Failures; asked for its value, one for each, to which Ruby may add a record
  # when it makes it shareable: the `object_id`, for which there is no room later.
  def test_failures_of_items_that_never_ran_are_made_when_they_are_read
    future = @pool.dispatch_async([0] * 10_000, @hold)
    future.cancel
    made = lambda do |&look|
      before = GC.stat(:total_allocated_objects)
      look.call
      GC.stat(:total_allocated_objects) - before
    end
    assert_operator made.call { assert_raises(Workers::CancelledError) { future.value! } }, :<, 1_000
    assert_operator made.call { assert_equal 9_999, future.value.last.index }, :<, 21_000
    assert_equal [0, 1], future.each.first(2).map(&:index)
  end

  def test_items_after_a_cancel_do_not_run
    future = @pool.dispatch_async((1..50).to_a, @hold)
    @hold.open(3)
    eventually { @hold.finished.value == 3 && @hold.begun.value == 5 }
    assert future.cancel
    @hold.open
    assert_equal [4], @pool.dispatch_async([2], Double).value(timeout: 5)
    eventually { @pool.stats[:workers][:busy].zero? }
    assert_equal 5, @hold.finished.value
    done, cancelled = future.value.partition { |result| result.is_a?(Integer) }
    assert_operator done.size, :<=, 3
    assert_equal 50, done.size + cancelled.size
  end

  def test_cancel_interrupts_when_it_is_told_to
    future = @pool.dispatch_async([30, 30], Sleep)
    eventually { @pool.stats[:workers][:busy] == 2 }
    assert future.cancel(interrupt: true)
    assert_equal [2, 4], @pool.dispatch_async([1, 2], Double).value(timeout: 3)
  end

  def test_a_dispatch_that_is_done_cannot_be_cancelled
    future = @pool.dispatch_async([1], Double)
    future.wait(timeout: 5)
    refute future.cancel
    assert_equal [2], future.value
    refute_predicate future, :cancelled?
  end

  def test_a_caller_that_is_killed_while_it_waits_leaves_nothing
    @pool.dispatch_async([1], Double).wait(timeout: 5)
    until_workers_wait(@pool)
    assert_leaves_nothing do
      future = @pool.dispatch_async([1], @hold)
      waiters = Array.new(10) { Thread.new { future.value } }
      waiters.each { |waiter| until_asleep(waiter) }
      waiters.each { |waiter| waiter.kill.join(5) || flunk("a waiter did not end") }
      @hold.open
      assert_equal [1], future.value(timeout: 5)
    end
  end

  def test_many_threads_wait_for_one_future
    future = @pool.dispatch_async([1], @hold)
    waiters = Array.new(10) { Thread.new { future.value } }
    waiters.each { |waiter| until_asleep(waiter) }
    @hold.open
    assert_equal [[1]] * 10, within(5) { waiters.map(&:value) }
  end
end
