# frozen_string_literal: true

require "test_helper"

class LocalPoolWaitQueueTest < Minitest::Test
  WaitQueue = Ratomic::LocalPool::WaitQueue

  def setup
    @lock = Thread::Mutex.new
    @wait_queue = WaitQueue.new(@lock)
    @slot = Ratomic::LocalPool::Slot.new(nil)
  end

  def wait(timeout, &spare)
    spare ||= -> {}
    WaitQueue::Waiter.new(false).tap { |waiter| @lock.synchronize { @wait_queue.wait(waiter, timeout, &spare) } }.slot
  end

  def test_a_slot_is_handed_to_the_first
    refute(@lock.synchronize { @wait_queue.hand_over(@slot) })
    order = Thread::Queue.new
    threads = Array.new(3) { |i| Thread.new { wait(nil) && (order << i) }.tap { |thread| until_asleep(thread) } }
    3.times do |i|
      assert(@lock.synchronize { @wait_queue.hand_over(Ratomic::LocalPool::Slot.new(i)) })
      assert_equal i, within(5) { order.pop }
    end
    threads.each(&:join)
    assert_equal 0, @wait_queue.size
  end

  def test_time_runs_out
    assert_nil wait(0)
    assert_nil wait(0.01)
    assert_equal 0, @wait_queue.size
  end

  def test_a_spare_slot_ends_the_wait
    assert_same @slot, within(5) { wait(nil) { @slot } }
    assert_same Thread, @slot.holder.class
  end

  def test_a_killed_waiter_leaves_the_queue
    thread = Thread.new { wait(nil) }
    until_asleep(thread)
    thread.kill
    within(5) { thread.join }
    assert_equal 0, @wait_queue.size
  end
end
