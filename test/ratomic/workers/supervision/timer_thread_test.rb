# frozen_string_literal: true

require "test_helper"

class TimerThreadTest < Minitest::Test
  Workers = Ratomic::Workers
  TimerThread = Workers.const_get(:TimerThread)

  def setup
    @mailbox = Workers::Mailbox::QueueMailbox.new
    @timer_thread = TimerThread.new(@mailbox)
  end

  def teardown
    @timer_thread.close
  end

  def test_a_tick_comes_at_the_time_that_was_set_and_not_before
    started = now
    @timer_thread.set(started + 0.05)
    assert_equal [:tick], receive
    assert_operator now - started, :>=, 0.05
  end

  def test_the_earliest_of_several_times_counts
    started = now
    [3600, 0.05, 3600].each { |seconds| @timer_thread.set(started + seconds) }
    assert_equal [:tick], receive
    assert_operator now - started, :>=, 0.05
  end

  def test_it_goes_on_after_a_tick
    2.times do
      @timer_thread.set(now)
      assert_equal [:tick], receive
    end
    refute @timer_thread.ended?
  end

  def test_a_killed_timer_thread_sends_a_last_tick_and_takes_no_more_times
    eventually { @timer_thread.instance_variable_get(:@times).num_waiting == 1 }
    @timer_thread.instance_variable_get(:@thread).kill
    assert_equal [:tick], receive
    assert @timer_thread.ended?
    assert_nil @timer_thread.set(now)
  end

  def test_close_ends_the_thread
    assert_leaves_nothing do
      timer_thread = TimerThread.new(@mailbox)
      timer_thread.set(now + 3600)
      timer_thread.close
      assert timer_thread.ended?
    end
  end

  private

  def now
    Workers::Clock.now
  end

  def receive
    within(5) { @mailbox.receive }
  end
end
