# frozen_string_literal: true

require "test_helper"

class RunQueueTest < Minitest::Test
  Workers = Ratomic::Workers

  def setup
    @run_queue = Workers::RunQueue.new(100, 2)
  end

  def batch
    Workers::Batch.new([1].freeze, 1, 1, Comparable, Workers::Options.new, 64)
  end

  # A worker that takes batches and does nothing with them.
  def worker(taken, soon: false)
    @run_queue.start_searching
    Thread.new do
      slept = nil
      while (found = @run_queue.try_pop || @run_queue.await(soon))
        next slept = found if found.is_a?(Symbol)

        @run_queue.wake_one if slept == :untimed
        slept = nil
        taken << found
        @run_queue.note_search(Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond))
      end
    end
  end

  def test_batches_are_popped_once_and_in_order
    batches = Array.new(50) { batch }
    batches.each { |batch| assert @run_queue.try_push(batch) }
    assert_equal 50, @run_queue.size
    assert_equal batches, Array.new(50) { @run_queue.try_pop }
    assert_nil @run_queue.try_pop
  end

  def test_sleeping_workers_are_woken
    taken = Thread::Queue.new
    workers = [true, false].map { |soon| worker(taken, soon: soon) }
    workers.each { |thread| until_asleep(thread) }
    5.times do
      @run_queue.try_push(pushed = batch)
      assert_same pushed, within(2) { taken.pop }
    end
    @run_queue.close
    within(2) { workers.each(&:join) }
  end

  # Counts how often it is rung.
  class Counting < Workers::RunQueue
    attr_reader :rings

    def initialize(...)
      @rings = Ratomic::Counter.new
      super
    end

    def wake_one
      @rings.increment
      super
    end
  end

  def test_workers_that_are_woken_for_nothing_go_to_sleep_again
    [1, 2].each do |size|
      @run_queue = Counting.new(100, size)
      workers = Array.new(size) { worker(Thread::Queue.new) }
      pause
      @run_queue.wake_one
      pause
      assert_operator @run_queue.rings.value, :<, 10
      @run_queue.close
      within(2) { workers.each(&:join) }
    end
  end

  # Long enough for workers to sleep without looking.
  def pause
    Thread::Queue.new.tap { |never| Thread.new { sleep(Workers::RunQueue::SEARCH_INTERVAL_S * 4) && never.close } }.pop
  end

  def test_a_worker_that_slept_without_a_limit_wakes_no_other_before_it_has_taken_the_batch
    wakeups, sleeping = %i[@wakeups @sleeping].map { |name| @run_queue.instance_variable_get(name) }
    sleeping.increment # another worker, which does not run
    eventually(20, "a sleep without a limit") do
      wakeups.pop_many(3, timeout: 0)
      worker = Thread.new { @run_queue.await(false) }
      pause
      @run_queue.try_push(batch)
      slept = worker.value
      @run_queue.try_pop
      slept == :untimed
    end
    assert_empty wakeups
  end

  def test_each_wake_up_wakes_one_worker_as_long_as_workers_sleep
    wakeups, sleeping = %i[@wakeups @sleeping].map { |name| @run_queue.instance_variable_get(name) }
    woken = [[2, 1], [2, 2], [1, 2], [0, 1]].map do |asleep, rings|
      sleeping.reset(asleep)
      rings.times { @run_queue.wake_one }
      wakeups.pop_many(3, timeout: 0).size
    end
    assert_equal [1, 2, 1, 0], woken
  end

  def test_a_worker_that_was_woken_and_does_not_run_is_missed_after_a_while
    refute @run_queue.wakeup_pending?(1_000_000)
    @run_queue.instance_variable_get(:@sleeping).reset(1)
    @run_queue.wake_one
    assert_equal([false, true], [1_000, 1_000_000].map { |nanoseconds| @run_queue.wakeup_pending?(nanoseconds) })
  end

  def test_a_worker_that_sleeps_for_long_is_woken_as_well
    taken = Thread::Queue.new
    workers = Array.new(2) { worker(taken) }
    pause
    20.times do
      @run_queue.try_push(batch)
      within(2) { taken.pop }
    end
    @run_queue.close
    within(2) { workers.each(&:join) }
  end

  # One worker counts as about to look, and never does: an item ran longer than it was estimated to.
  def test_a_push_does_not_rely_on_a_searching_worker_that_does_not_look
    taken = Thread::Queue.new
    @run_queue.start_searching
    sleeper = worker(taken)
    until_asleep(sleeper)
    @run_queue.try_push(batch)
    assert within(2) { taken.pop }
    @run_queue.close
    within(2) { sleeper.join }
  end

  def counters(*names)
    names.map { |name| @run_queue.instance_variable_get(name) }
  end

  def test_a_push_wakes_a_worker_unless_another_one_is_about_to_look
    searching, sleeping, wakeups = counters(:@searching, :@sleeping, :@wakeups)
    sleeping.reset(1)
    woken = [[0, 0, 0], [1, 0, 0], [1, 2_000_000, 0], [1, 0, 4]].map do |searchers, age, waiting|
      waiting.times { @run_queue.fresh.try_push(batch) }
      searching.reset(searchers)
      @run_queue.note_search((pushed = batch).born - age)
      @run_queue.try_push(pushed)
      nil while @run_queue.try_pop
      wakeups.pop_many(3, timeout: 0).size
    end
    assert_equal [1, 0, 1, 1], woken
  end

  # Nobody was woken for what was pushed while it searched.
  def test_a_worker_that_stops_searching_wakes_another_for_what_is_there
    sleeping, wakeups = counters(:@sleeping, :@wakeups)
    sleeping.reset(1)
    woken = [[], %i[try_push], %i[put_back]].map do |ways|
      @run_queue.start_searching
      ways.each { |way| @run_queue.note_search((pushed = batch).born) && @run_queue.public_send(way, pushed) }
      assert_empty wakeups
      @run_queue.stop_searching
      nil while @run_queue.try_pop
      wakeups.pop_many(3, timeout: 0).size
    end
    assert_equal [0, 1, 1], woken
  end

  def test_a_worker_counts_as_asleep_or_as_searching_however_its_sleep_ends
    state = -> { counters(:@sleeping, :@searching).map(&:value) }
    @run_queue.start_searching
    [-> { @run_queue.wake_one }, -> { @run_queue.try_push(batch) }, ->(sleeper) { sleeper.kill }].each do |ending|
      sleeper = Thread.new { @run_queue.await(false) }
      until_asleep(sleeper)
      assert_equal [1, 0], state.call
      ending.arity.zero? ? ending.call : ending.call(sleeper)
      @run_queue.try_push(batch)
      within(2) { sleeper.join }
      assert_equal [0, 1], state.call
      nil while @run_queue.try_pop
    end
  end

  def test_a_worker_looks_again_after_a_while_as_long_as_another_one_is_awake
    sleeper = Thread.new { @run_queue.await(false) }
    pause
    @run_queue.fresh.try_push(batch) # wakes nobody
    assert_equal :timed, within(2) { sleeper.value }
  end

  def test_every_batch_is_taken_by_many_workers_and_pushers
    taken = Thread::Queue.new
    workers = Array.new(2) { worker(taken) }
    pushers = Array.new(4) { Thread.new { 500.times { Thread.pass until @run_queue.try_push(batch) } } }
    within(20) { pushers.each(&:join) }
    eventually(10) { taken.size == 2000 }
    @run_queue.close
    within(2) { workers.each(&:join) }
  end

  def test_begun_batches_do_not_count_for_the_capacity
    run_queue = Workers::RunQueue.new(1, 1)
    begun = Array.new(2) { batch.tap { |each| assert run_queue.put_back(each) } }
    refute run_queue.put_back(batch), "it has room of its own, which has an end"
    assert run_queue.try_push(fresh = batch)
    assert_equal [3, 1, 1], [run_queue.size, run_queue.waiting_size, run_queue.capacity]
    assert_equal [fresh, *begun], Array.new(3) { run_queue.try_pop }
  end

  # One that was begun, and ten others, which are there before it is put back each time: it has its turn after those.
  def test_batches_take_turns_as_if_they_stood_in_one_line
    @run_queue.put_back(begun = batch)
    10.times { @run_queue.try_push(batch) }
    assert_equal [11], (0..11).select { |taken| @run_queue.turn_of_begun?(taken) }
    5.times { @run_queue.try_pop }
    refute @run_queue.turn_of_begun?(5)
    assert @run_queue.turn_of_begun?(6)
    assert_same begun, @run_queue.begun.try_pop
    refute @run_queue.turn_of_begun?(100)
  end

  def test_done_batches_are_swept_out_and_the_rest_keeps_its_order
    batches = Array.new(5) { batch.tap { |each| @run_queue.try_push(each) } }
    batches.values_at(0, 3).each { |each| each.stop(Workers::PoolFailures::GIVEN_UP) }
    refute @run_queue.sweep, "nobody has said so"
    @run_queue.leave_behind
    assert @run_queue.sweep
    @run_queue.leave_behind
    refute @run_queue.sweep, "nothing is left to remove"
    assert_equal 3, @run_queue.waiting_size
    assert_equal batches.values_at(1, 2, 4), Array.new(3) { @run_queue.try_pop }
    assert_nil @run_queue.try_pop
  end

  # A batch that finds the run queue closed, or full of others, after it was taken out.
  class Late
    def initialize(run_queue, others = nil)
      @run_queue = run_queue
      @others = others
      Ractor.make_shareable(self)
    end

    def completion
      self
    end

    def complete?
      @others ? @others.each { |each| @run_queue.try_push(each) || @run_queue.put_back(each) } : @run_queue.close
      false
    end

    def born
      0
    end
  end

  def test_a_batch_that_finds_the_queue_closed_during_a_sweep_is_handed_out
    run_queue = Workers::RunQueue.new(2, 1)
    run_queue.try_push(one = Late.new(run_queue))
    run_queue.leave_behind
    lost = []
    run_queue.sweep { |each| lost << each }
    assert_equal [one], lost
  end

  # A worker that takes the other batches while the first one is looked at.
  class Takers < Late
    def complete?
      @others.size.times { @run_queue.try_pop }
      true
    end
  end

  def test_a_sweep_ends_when_workers_have_emptied_the_queue
    others = Array.new(2) { batch }
    [Takers.new(@run_queue, others), *others].each { |each| @run_queue.try_push(each) }
    @run_queue.leave_behind
    assert @run_queue.sweep
    assert_equal 0, @run_queue.size
  end

  def test_a_batch_that_finds_the_queue_full_during_a_sweep_goes_to_those_that_were_begun
    run_queue = Workers::RunQueue.new(1, 1)
    run_queue.try_push(one = Late.new(run_queue, [other = batch]))
    run_queue.leave_behind
    run_queue.sweep { flunk }
    assert_equal [other, one], Array.new(2) { run_queue.try_pop }
  end

  def test_a_batch_that_finds_both_queues_full_during_a_sweep_is_handed_out
    run_queue = Workers::RunQueue.new(1, 1)
    others = Array.new(3) { batch }
    run_queue.try_push(one = Late.new(run_queue, others))
    run_queue.leave_behind
    lost = []
    within(30) { run_queue.sweep { |each| lost << each } }
    assert_equal [one], lost
    assert_equal others, Array.new(3) { run_queue.try_pop }
  end

  def test_a_full_lane_refuses_and_a_closed_one_raises
    run_queue = Workers::RunQueue.new(1, 1)
    assert run_queue.try_push(batch)
    refute run_queue.try_push(batch)
    refute run_queue.push(batch, 0.01)
    run_queue.close
    assert_raises(ClosedQueueError) { run_queue.try_push(batch) }
    assert run_queue.await(false)
    assert run_queue.try_pop
    [false, true].each { |soon| assert_nil run_queue.await(soon) }
  end
end
