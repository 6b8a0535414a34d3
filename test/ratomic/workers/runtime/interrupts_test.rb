# frozen_string_literal: true

require "test_helper"

class InterruptsTest < Minitest::Test
  Interrupts = Ratomic::Workers::Interrupts

  def test_a_deferred_block_runs_to_its_end
    go_on = Thread::Queue.new
    done = false
    thread = Thread.new do
      Interrupts.deferred { done = go_on.pop }
      sleep
    end
    until_asleep(thread)
    thread.kill
    go_on << true
    assert thread.join(5)
    assert done
  end

  def test_exceptions_from_other_threads_come_after_the_users_block
    inside = nil
    assert_raises(KeyError) do
      Interrupts.exceptions_deferred do
        Thread.current.raise(KeyError)
        inside = :went_on
      end
    end
    assert_equal :went_on, inside
  end

  # In older Rubies a timeout block ends with an ordinary exception, which comes after the deferring block.
  def test_a_signal_and_the_end_of_a_timeout_block_come_at_once
    at_once = defined?(Timeout::ExitException) ? true : false
    [Interrupt, SignalException.new("TERM")].each do |signal|
      assert_raises(SignalException) do
        Interrupts.exceptions_deferred do
          Thread.current.raise(signal)
          flunk
        end
      end
    end
    went_on = false
    assert_raises(Timeout::Error) do
      Interrupts.exceptions_deferred do
        Timeout.timeout(0.01) do
          sleep(0.001) until Thread.current.pending_interrupt?
          went_on = true
        end
      end
    end
    assert_equal !at_once, went_on
  end

  def test_a_thread_that_allows_interrupts_gets_what_its_creator_deferred
    thread = Interrupts.deferred { Thread.new { Interrupts.allowed { sleep } } }
    until_asleep(thread)
    thread.kill
    assert thread.join(5)
  end

  def test_a_killed_thread_finishes_its_deferred_block
    masked = Thread::Queue.new
    steps = []
    thread = Thread.new do
      Interrupts.deferred do
        masked << true
        Thread.pass until Thread.pending_interrupt?
        steps << :masked
      end
      steps << :after
    end
    masked.pop
    thread.kill
    within(5) { thread.join }
    assert_equal [:masked], steps
  end

  def test_an_interrupt_that_was_deferred_ends_a_wait_that_blocks
    steps = Thread::Queue.new
    thread = Thread.new do
      Interrupts.deferred do
        steps << :inside
        Thread.pass until Thread.pending_interrupt?
        steps << :deferred
        Interrupts.on_blocking { Thread::Queue.new.pop }
        steps << :never
      end
    end
    assert_equal :inside, steps.pop
    thread.kill
    assert thread.join(5)
    assert_equal [:deferred], Array.new(steps.size) { steps.pop }
  end

  # Ruby hands the lock to the first of them. (It may enter before it is hit, so this is done until one was.)
  def test_a_thread_whose_wait_for_a_lock_is_interrupted_does_not_keep_the_others_from_it
    %i[kill raise].each { |way| eventually { lock_interrupted?(way) } }
  end

  # @return [Boolean] whether the interrupt has hit the thread before it entered
  def lock_interrupted?(way)
    lock = Thread::Mutex.new.lock
    entered = []
    first, second = Array.new(2) do |number|
      thread = Thread.new { Interrupts.synchronize(lock) { entered << number } }
      thread.report_on_exception = false
      until_asleep(thread)
      thread
    end
    lock.unlock
    first.public_send(way)
    assert second.join(5), way.to_s
    assert_includes entered, 1
    refute lock.locked?
    !entered.include?(0)
  end

  def test_an_error_under_a_lock_leaves_it_free
    lock = Thread::Mutex.new
    assert_raises(KeyError) { Interrupts.synchronize(lock) { raise KeyError } }
    assert_equal :again, Interrupts.synchronize(lock) { :again }
    assert_raises(ThreadError) { Interrupts.synchronize(lock) { Interrupts.synchronize(lock) { flunk } } }
    refute lock.locked?
  end
end
