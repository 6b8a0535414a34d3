# frozen_string_literal: true

require "test_helper"

class TimerQueueTest < Minitest::Test
  Workers = Ratomic::Workers

  def setup
    @mailbox = Workers::Mailbox.open
    @timer_queue = Workers::TimerQueue.new(@mailbox)
  end

  def teardown
    @timer_queue.close
  end

  def batch
    Workers::Batch.new([1].freeze, 1, 1, Comparable, Workers::Options.new, 64)
  end

  def now
    Workers::Clock.now
  end

  def test_a_tick_comes_when_something_is_due_and_not_before
    started = now
    @timer_queue.add(started + 0.1, :later)
    @timer_queue.add(started + 0.05, :sooner, 1, nil)
    assert_empty @timer_queue.take_due
    assert_equal [:tick], within(5) { @mailbox.receive }
    assert_operator now - started, :>=, 0.05
    due = @timer_queue.take_due
    assert_equal [:sooner, 1, nil], due.first
    if due.size == 1 # else this thread was held up for so long that both are
      assert_equal [:tick], within(5) { @mailbox.receive }
      due += @timer_queue.take_due
    end
    assert_operator now - started, :>=, 0.1
    assert_equal [:later], due.last
    assert_equal 2, due.size
  end

  def test_what_is_due_at_once_comes_in_order
    10.times { |i| @timer_queue.add(now - 10 + i, i) }
    assert_equal (0...10).map { |i| [i] }, @timer_queue.take_due
  end

  def test_the_deadline_of_what_is_done_is_void
    done = batch
    waiting = batch
    @timer_queue.add_for(done, now - 1, :expire)
    @timer_queue.add_for(waiting, now - 1, :expire)
    done.completion.fill(1)
    assert_equal [[:expire, waiting]], @timer_queue.take_due
  end

  def test_deadlines_far_away_do_not_pile_up
    5000.times { batch.tap { |done| @timer_queue.add_for(done, now + 3600, :expire) }.completion.fill(1) }
    assert_operator @timer_queue.instance_variable_get(:@entries).size, :<, 200
  end

  def test_what_is_not_to_be_done_any_more_is_taken_out
    [1, 2].each { |n| @timer_queue.add(now - n, :start_worker, [n]) }
    @timer_queue.add(now - 1, :expire)
    taken = []
    @timer_queue.take(:start_worker, :offer) { |details| taken << details }
    assert_equal [[[2]], [[1]]], taken
    assert_equal [[:expire]], @timer_queue.take_due
  end

  def test_a_timer_that_is_killed_is_replaced
    @timer_queue.add(now + 1, :later)
    2.times do
      timer_thread = @timer_queue.instance_variable_get(:@timer_thread)
      eventually { timer_thread.instance_variable_get(:@times).num_waiting == 1 }
      timer_thread.instance_variable_get(:@thread).kill
      assert_equal [:tick], within(5) { @mailbox.receive }
      assert_empty @timer_queue.take_due
    end
    assert_equal [:tick], within(5) { @mailbox.receive }
    assert_equal [[:later]], @timer_queue.take_due
  end

  def test_its_thread_ends_with_it
    assert_leaves_nothing do
      timer_queue = Workers::TimerQueue.new(@mailbox)
      timer_queue.add(now + 60, :never)
      timer_queue.close
    end
  end
end
