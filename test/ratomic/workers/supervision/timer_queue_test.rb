# frozen_string_literal: true

require "test_helper"
require "support/mailboxes"

# What holds wherever the coordinator's mailbox takes a timeout, and where it does not.
module TimerQueueContract
  Workers = Ratomic::Workers

  def setup
    @mailbox = mailbox
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

  def receive
    within(5) { @timer_queue.receive }
  end

  def test_a_tick_comes_when_something_is_due_and_not_before
    started = now
    @timer_queue.add(started + 0.1, :later)
    @timer_queue.add(started + 0.05, :sooner, 1, nil)
    @timer_queue.add(started + 3600, :never)
    due = []
    until due.size == 2
      assert_equal [:tick], receive
      due += @timer_queue.take_due
      assert_operator now - started, :>=, due.size * 0.05
    end
    assert_equal [[:sooner, 1, nil], [:later]], due
  end

  def test_messages_come_while_nothing_is_due
    @mailbox.send(:first)
    assert_equal :first, receive
    @timer_queue.add(now + 3600, :later)
    @mailbox.send(:second)
    assert_equal :second, receive
    Thread.new { @mailbox.send(:third) }.join
    assert_equal :third, receive
  end

  def test_a_stream_of_messages_delays_no_entry
    @timer_queue.add(now + 0.01, :due)
    @mailbox.send(:message)
    within(5) { @mailbox.send(:message) until @timer_queue.receive == [:tick] }
    assert_equal [[:due]], @timer_queue.take_due
  end

  def test_an_entry_may_be_due_years_later
    [1e9, 1e300, Float::INFINITY].each { |seconds| @timer_queue.add(now + seconds, :later) }
    @mailbox.send(:message)
    assert_equal :message, receive
    assert_empty @timer_queue.take_due
  end

  def test_entries_of_the_same_time_come_in_order
    10.times { |i| @timer_queue.add(now - 10 + i, i) }
    assert_equal (0...10).map { |i| [i] }, @timer_queue.take_due
  end

  def test_the_deadline_of_a_batch_that_is_done_is_dropped
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

  def test_entries_of_one_kind_can_be_taken_out_early
    [1, 2].each { |n| @timer_queue.add(now - n, :start_worker, [n]) }
    @timer_queue.add(now - 1, :expire)
    taken = []
    @timer_queue.take(:start_worker, :offer) { |details| taken << details }
    assert_equal [[[2]], [[1]]], taken
    assert_equal [[:expire]], @timer_queue.take_due
  end

  def test_its_thread_ends_with_it
    assert_leaves_nothing do
      timer_queue = Workers::TimerQueue.new(@mailbox)
      timer_queue.add(now + 60, :never)
      timer_queue.close
    end
  end

  private

  def timer_thread
    @timer_queue.instance_variable_get(:@timer_thread)
  end
end

# With what a coordinator listens to in this Ruby.
class TimerQueueTest < Minitest::Test
  include Mailboxes
  include TimerQueueContract

  def mailbox
    open_mailbox
  end
end

# With a mailbox that takes no timeout.
class TimerQueueWithThreadTest < Minitest::Test
  include Mailboxes
  include TimerQueueContract

  NoTimer = Class.new(ThreadError)

  def mailbox
    UntimedMailbox.new
  end

  def test_what_is_due_comes_in_time_also_while_no_timer_can_be_made
    without_timers do
      @timer_queue.add(now + 0.05, :due)
      @timer_queue.add(now + 3600, :later)
      due = []
      within(5) { due = @timer_queue.take_due while due.empty? && @timer_queue.receive == [:tick] }
      assert_equal [[:due]], due
    end
  end

  def test_a_timer_that_could_not_be_made_is_made_later
    without_timers { @timer_queue.add(now + 3600, :later) }
    @mailbox.send(:message)
    assert_equal :message, receive
    refute_predicate timer_thread, :ended?
  end

  def test_a_message_comes_also_while_no_timer_can_be_made
    without_timers do
      @timer_queue.add(now + 3600, :later)
      @mailbox.send(:message)
      assert_equal :message, receive
    end
  end

  def test_that_no_timer_can_be_made_is_reported_once_until_there_is_one
    errors = []
    @timer_queue = Workers::TimerQueue.new(@mailbox) { |error| errors << error.class }
    2.times do
      without_timers(NoTimer) { 2.times { add_and_take } }
      add_and_take
      timer_thread.instance_variable_get(:@thread).kill.join
    end
    assert_equal [NoTimer, NoTimer], errors
  end

  def add_and_take
    @timer_queue.add(now, :due)
    @timer_queue.take_due
  end

  def test_a_timer_that_is_killed_is_replaced
    @timer_queue.add(now + 3600, :later)
    2.times do
      running = timer_thread
      eventually { running.instance_variable_get(:@times).num_waiting == 1 }
      running.instance_variable_get(:@thread).kill
      assert_equal [:tick], receive
      assert_empty @timer_queue.take_due
    end
    @timer_queue.add(now + 0.05, :soon)
    assert_equal [:tick], receive
    assert_equal [[:soon]], @timer_queue.take_due
  end
end

# With the mailbox of a coordinator on Rubies without ports.
class TimerQueueWithQueueMailboxTest < Minitest::Test
  include TimerQueueContract

  def mailbox
    Workers::Mailbox::QueueMailbox.new
  end

  def test_a_full_mailbox_holds_up_no_entry
    @timer_queue.add(now, :due)
    Workers::Mailbox::QueueMailbox::CAPACITY.times { @mailbox.send(:message) }
    assert_equal [:tick], receive
    assert_equal [[:due]], @timer_queue.take_due
    assert_equal :message, receive
  end

  def test_it_makes_no_thread
    @timer_queue.add(now, :due)
    assert_equal [:tick], receive
    assert_nil timer_thread
  end
end

# With a mailbox that takes a timeout, as the ports of later Rubies do.
class TimerQueueWithoutThreadTest < Minitest::Test
  include TimerQueueContract

  class TimedMailbox
    attr_reader :timeouts

    def initialize
      @queue = Ratomic::Queue.new(64)
      @timeouts = []
    end

    def send(message)
      @queue.push(message)
    end

    def receive(timeout: nil)
      @timeouts << timeout
      @queue.pop(timeout: timeout)
    end
  end

  def mailbox
    TimedMailbox.new
  end

  def test_it_needs_no_thread
    @timer_queue.add(now + 0.01, :due)
    assert_equal [:tick], receive
    assert_nil timer_thread
  end

  def test_messages_in_the_mailbox_come_before_due_entries_and_later_messages_after_them
    @mailbox.send(:before)
    @timer_queue.add(now - 1, :due)
    assert_equal :before, receive
    @mailbox.send(:after)
    assert_equal [:tick], receive
    assert_equal [[:due]], @timer_queue.take_due
    assert_equal :after, receive
  end

  def test_it_waits_without_a_timeout_while_there_is_nothing_to_do_and_for_an_hour_at_most
    @mailbox.send(:message)
    receive
    @timer_queue.add(now + 1e9, :later)
    @mailbox.send(:message)
    receive
    assert_equal [nil, 3600], @mailbox.timeouts
  end

  def test_in_a_ractor_of_its_own_it_has_a_thread
    skip_without_ractors
    in_ractor do
      timer_queue = Ratomic::Workers::TimerQueue.new(Ratomic::Workers::Mailbox.open)
      timer_queue.add(Ratomic::Workers::Clock.now, :due)
      raise "no thread" unless timer_queue.instance_variable_get(:@timer_thread)
      raise "no tick" unless timer_queue.receive == [:tick]

      timer_queue.close
    end
  end
end
