# frozen_string_literal: true

require "test_helper"
require "support/worker_callables"
require "support/worker_pools"
require "timeout"

class WaiterCountTest < Minitest::Test
  include WorkerCallables
  include WorkerPools

  WAITS = {
    value: ->(future) { future.value }, value!: ->(future) { future.value! }, wait: ->(future) { future.wait },
    each: ->(future) { future.each {} }, each_completed: ->(future) { future.each_completed {} }
  }.freeze

  def setup
    super
    @hold = Hold.new
    @pool = new_pool
  end

  def teardown
    @hold.open
    super
  end

  def dispatch(items = (0...50).to_a, **options)
    @pool.dispatch_async(items, @hold, cancel_on_abandon: true, **options)
  end

  def waiter(future, &wait)
    thread = Thread.new(future, &wait || :value.to_proc)
    thread.report_on_exception = false
    until_asleep(thread)
    thread
  end

  WAITS.each do |name, wait|
    define_method("test_a_kill_in_#{name}_cancels_it_and_later_work_has_its_turn") do
      future = dispatch
      waiter(future, &wait).kill.join
      assert_predicate future, :cancelled?
      @hold.open(2)
      assert_equal [2, 4], @pool.dispatch_async([1, 2], Double).value(timeout: 5)
      assert_operator @hold.begun.value, :<=, 2
    end

    define_method("test_a_kill_in_#{name}_changes_nothing_without_the_option") do
      future = dispatch(cancel_on_abandon: false)
      waiter(future, &wait).kill.join
      refute_predicate future, :cancelled?
    end
  end

  def test_an_exception_from_outside_cancels_it
    future = dispatch
    thread = waiter(future)
    thread.raise(::Timeout::Error)
    assert_raises(::Timeout::Error) { within(5) { thread.value } }
    assert_predicate future, :cancelled?
  end

  def test_an_exception_of_the_block_cancels_it_and_a_break_does_not
    future = dispatch([0, 1])
    @hold.open(1)
    assert_equal(:left, within(5) { future.each_completed { break :left } })
    refute_predicate future, :cancelled?
    assert_raises(KeyError) { future.each_completed { raise KeyError } }
    assert_predicate future, :cancelled?
  end

  def test_its_own_timeout_leaves_it_good
    future = dispatch
    refute future.wait(timeout: 0.01)
    %i[value each each_completed].each do |wait|
      assert_raises(Ratomic::Workers::TimeoutError) { future.public_send(wait, timeout: 0.01) {} }
    end
    @hold.open
    assert_equal (0...50).to_a, future.value(timeout: 5)
  end

  def test_it_is_cancelled_when_the_last_of_several_is_ended
    future = dispatch
    waiters = Array.new(3) { waiter(future) }
    waiters.each do |one|
      refute_predicate future, :cancelled?
      one.kill.join
    end
    assert_predicate future, :cancelled?
  end

  def test_a_thread_that_waits_in_another_ractor_keeps_the_dispatch
    skip_without_ractors
    future = dispatch
    other = Ractor.new(future) { |shared| shared.value(timeout: 20) }
    waiting = future.instance_variable_get(:@batch).waiter_count.instance_variable_get(:@waiting)
    eventually { waiting.value == 1 }
    waiter(future).kill.join
    refute_predicate future, :cancelled?
    @hold.open
    assert_equal (0...50).to_a, other.value
  end

  def test_a_dispatch_that_is_done_is_not_cancelled
    future = @pool.dispatch_async([1], Double, cancel_on_abandon: true)
    future.value(timeout: 5)
    assert_raises(KeyError) { future.each { raise KeyError } }
    refute_predicate future, :cancelled?
  end
end
