# frozen_string_literal: true

require "test_helper"
require "support/mailboxes"
require "support/engine_room"

class RunnerTest < Minitest::Test
  include Mailboxes
  include EngineRoom

  Workers = Ratomic::Workers

  # As a worker's main thread that an item has killed.
  module Doomed
    def self.pending_interrupt?
      true
    end
  end

  # Returns the context that it is called in.
  module Context
    def self.call(_item)
      Workers.context
    end
  end

  # Writes down its items in the order in which they are called, and takes longer than a chunk may for a slow one.
  class Log
    def initialize
      @calls = Ratomic::Map.new
      Ractor.make_shareable(self)
    end

    def call(item)
      @calls.append(:items, item)
      sleep(0.01) if item.start_with?("slow")
      item
    end

    def items
      @calls[:items]
    end
  end

  def setup
    @mailbox = open_mailbox
    @control = open_mailbox
    @engine = Workers::Engine.new(Workers::Settings.new(size: 1, backend: :thread, max_queue: 3), @mailbox)
    @worker_status = Workers::WorkerStatus.new(1)
    @runner = Workers::Runner.new(@engine, @worker_status, @control, Thread.current)
    @ports = []
    @hold = Hold.new
    @log = Log.new
  end

  def teardown
    @hold.open
    @engine.run_queue.close
    within(5) { @runner.instance_variable_get(:@thread).join }
    [@mailbox, @control, *@ports].each(&:close)
  end

  # A batch whose items run one by one, with a step into the run queue after each.
  def stepwise(name, count)
    batch(Array.new(count) { |i| "#{name}#{i}" }, @log).isolated_part(0, count)
  end

  def push(*batches)
    batches.each { |made| assert @engine.run_queue.try_push(made) }
  end

  def assert_told(what)
    assert_equal [what], within(5) { @control.receive }
  end

  # Runs what the thread left when it ended.
  def go_on(what)
    assert_told :runner_died
    @runner.start(@runner.recovery(what))
  end

  # Who stops all does not see a batch between the run queue and the board. Its item would be ended with its worker, and
  # blamed.
  def test_a_batch_that_it_takes_after_the_stop_does_not_run
    made = batch(%w[a b], @log)
    @engine.kill
    @runner.start([made])
    assert made.completion.wait(5)
    assert_equal [Workers::ShutdownError.name] * 2, made.completion.to_a.map(&:exception_class)
    assert_nil @log.items
  end

  def test_results_are_filed_in_the_order_of_their_items
    push(made = batch((0...1000).to_a))
    @runner.start
    assert_results (0...1000).map { |i| i * 2 }, made
    eventually { @worker_status.ticket.zero? }
    assert_operator @worker_status.busy_nanoseconds, :>, 0
    assert_operator @engine.costs.of(Double), :>, 0
  end

  def test_batches_take_turns
    push(*batches = [stepwise("a", 3), stepwise("b", 3)])
    @runner.start
    batches.each { |made| assert made.completion.wait(5) }
    assert_equal %w[a0 b0 a1 b1 a2 b2], @log.items
  end

  def test_it_keeps_on_with_its_batch_while_the_lane_is_full
    batches = [stepwise("a", 2), *%w[b c d].map { |name| stepwise(name, 1) }]
    batches.each { |made| assert @engine.run_queue.put_back(made) }
    @runner.start([kept = stepwise("kept", 3)])
    [kept, *batches].each { |made| assert made.completion.wait(5) }
    assert_equal %w[kept0 kept1 kept2 a0 b0 c0 d0 a1], @log.items
  end

  def test_a_chunk_that_takes_too_long_lets_others_have_their_turn
    push(slow = batch(Array.new(4) { |i| "slow#{i}" }, @log), quick = stepwise("quick", 1))
    @runner.start
    assert_results %w[slow0 slow1 slow2 slow3], slow
    assert_results %w[quick0], quick
    assert_equal %w[slow0 quick0], @log.items.first(2)
  end

  def test_a_sequential_dispatch_stays_with_its_worker_and_files_what_is_done
    waiting = stepwise("waiting", 1)
    filed = []
    slow = lambda do |item|
      sleep(0.01)
      filed << [@made, waiting].map { |made| made.completion.completed }
      item
    end
    push(@made = batch([0, 1, 2, 3], Workers::RactorLocalRefs.keep(slow), sequential: true), waiting)
    @runner.start
    assert_results [0, 1, 2, 3], @made
    assert_equal [[0, 0], [1, 0], [2, 0], [3, 0]], filed
    assert_results %w[waiting0], waiting
  ensure
    Workers::RactorLocalRefs.take(@made.callable)
  end

  def test_it_ends_when_the_lane_is_closed_and_empty
    push(made = batch([1, 2]))
    @engine.run_queue.close
    over = stepwise("over", 1)
    over.completion.fill("cancelled")
    @runner.start([over, left = stepwise("left", 2)])
    assert_told :runner_done
    assert_equal [[2, 4], %w[left0 left1]], [made, left].map { |one| one.completion.to_a }
    assert_equal %w[left0 left1], @log.items
  end

  # How often the waiters of batches are nudged while the block runs.
  def nudges
    completion = Workers::Completion
    native = completion.instance_method(:nudge)
    count = Ratomic::Counter.new
    completion.define_method(:nudge) { count.increment && native.bind_call(self) }
    yield
    count.value
  ensure
    completion.define_method(:nudge, native)
  end

  def test_after_a_long_chunk_a_woken_worker_that_does_not_run_is_given_a_turn
    wakeups = @engine.run_queue.instance_variable_get(:@wakeups)
    @runner.start
    [false, true].each_with_index do |unheard, round|
      push(made = batch([1], @hold))
      eventually { @hold.begun.value == round + 1 }
      wakeups.push(true) if unheard
      started = Workers::Clock.now
      Thread.pass until Workers::Clock.now - started > 2 * Workers::RunQueue::WAKE_LATENCY_NS / 1e9
      assert_equal(round, nudges do
        @hold.open(1)
        assert made.completion.wait(5)
      end)
    end
  end

  def test_a_runner_that_slept_without_a_limit_wakes_another_one_when_it_has_a_batch
    wakeups, sleeping = %i[@wakeups @sleeping].map { |name| @engine.run_queue.instance_variable_get(name) }
    sleeping.increment # another worker, which does not run
    @runner.start
    woken = lambda do |number|
      pause = Workers::Clock.now + (Workers::RunQueue::SEARCH_INTERVAL_S * 3)
      Thread.pass until Workers::Clock.now > pause
      wakeups.pop_many(3, timeout: 0)
      push(batch([1], @hold))
      eventually { @hold.begun.value == number }
      wakeups.size.tap { @hold.open(1) }
    end
    number = 0
    eventually(20) { woken.call(number += 1) == 1 }
  end

  def test_a_runner_that_waits_keeps_nothing_of_its_last_batch
    push(made = batch([1], @hold, context: :mark))
    @runner.start
    eventually { @hold.begun.value == 1 }
    assert_equal [made, made.ticket], [@engine.board[1], @worker_status.ticket]
    @hold.open
    assert_results [1], made
    eventually { @engine.run_queue.instance_variable_get(:@sleeping).value == 1 }
    assert_empty @engine.board
    names = %i[@batch @callable @chunk @context]
    assert_equal([nil] * names.size, names.map { |name| @runner.instance_variable_get(name) })
    assert_nil @runner.instance_variable_get(:@order).hand
  end

  def test_items_find_the_context_of_their_own_dispatch
    push(*batches = [:one, nil, :two].map { |context| batch([1], Context, context: context) })
    @runner.start
    batches.zip([[:one], [nil], [:two]]) { |made, expected| assert_results expected, made }
  end

  def test_it_is_away_from_the_lane_in_a_long_chunk_and_back_after_it
    searching = @engine.run_queue.instance_variable_get(:@searching)
    2.times do |round|
      push(made = batch([1], @hold))
      @runner.start
      eventually { @hold.begun.value == round + 1 }
      assert_equal(-1, searching.value)
      @runner.interrupt(made.ticket)
      assert_told :runner_died
      @runner.recovery(:thread)
      assert_equal 0, searching.value
    end
  end

  def test_an_interrupt_meets_only_the_item_that_it_names
    push(made = batch([0, 1, 2], @hold, item_timeout: 60, sequential: true))
    @hold.open(1)
    @runner.start
    eventually { @hold.begun.value == 2 }
    [[made.ticket + 1, 1], [made.ticket, 0], [made.ticket, 2]].each { |names| refute @runner.interrupt(*names) }
    assert @runner.interrupt(made.ticket, 1)
    go_on(:thread)
    @hold.open
    assert made.completion.wait(5)
    assert_equal [0, 2], made.completion.to_a.values_at(0, 2)
    assert_equal "ThreadError", made.completion[1].exception_class
  end

  def test_an_interrupt_without_an_item_meets_whatever_runs_of_its_dispatch
    push(made = batch([0], @hold))
    @runner.start
    eventually { @hold.begun.value == 1 }
    refute @runner.interrupt(made.ticket + 1)
    assert @runner.interrupt(made.ticket)
    assert_told :runner_died
    refute @runner.start.interrupt(made.ticket + 1)
  end

  def test_items_that_are_left_after_its_thread_died_are_given_back
    push(made = batch([1, :end_thread, 3, 4], Misbehave, sequential: true))
    @runner.start
    assert_told :runner_died
    parts = @runner.recovery(:thread)
    assert_equal [true, true, false, false], Array.new(4) { |index| made.completion.filled?(index) }
    assert_equal ["ThreadError", 1], [made.completion[1].exception_class, made.completion[1].index]
    assert_equal [[made.ticket, 2, 4]], parts.map { |part| [part.ticket, part.claim(2), part.limit] }
    assert_empty @runner.recovery(:thread), "it is given back once"
  end

  def test_a_runner_that_is_killed_gives_back_what_it_has_not_begun_as_well
    made, kept = Array.new(2) { batch([1], @hold) }
    @runner.start([made, kept])
    eventually { @hold.begun.value == 1 }
    assert @runner.kill(5)
    assert_equal [kept], @runner.recovery(:worker)
    assert_match(/ended its worker/, made.completion[0].message)
    assert_predicate @worker_status.ticket, :zero?
  end

  # Ruby checks for interrupts when a method returns, and then the batch is in no queue any more.
  def test_a_batch_is_not_lost_if_an_interrupt_ends_the_runner_when_it_has_just_taken_it
    push(made = batch([1, 2]))
    returned = TracePoint.new(:return) { |event| Thread.current.kill if made.equal?(event.return_value) }
    returned.enable
    @runner.start
    assert_told :runner_died
    returned.disable
    @runner.start(@runner.recovery(:thread))
    assert_results [2, 4], made
  ensure
    returned.disable
  end

  def test_an_item_that_ends_the_worker_is_to_blame
    @runner = Workers::Runner.new(@engine, @worker_status, @control, Doomed)
    push(made = batch([1, 2], Double, sequential: true))
    @runner.start
    2.times { go_on(:worker) }
    assert made.completion.wait(5)
    assert_match(/ended its worker/, made.completion[0].message)
    assert_equal [0, 1], made.completion.to_a.map(&:index)
  end

  def test_results_so_far_of_a_runner_that_cannot_be_ended_are_filed
    deaf = ->(item) { Thread.handle_interrupt(Object => :never) { @hold.call(item) } }
    made = batch([0, 1, 2], Workers::RactorLocalRefs.keep(deaf), sequential: true)
    push(made)
    @hold.open(1)
    @runner.start
    eventually { @hold.begun.value == 2 }
    refute @runner.kill(0.01)
    assert_empty @runner.give_up
    assert_equal [true, false, false], Array.new(3) { |index| made.completion.filled?(index) }
    assert_equal [:audit, made], within(5) { @mailbox.receive }
  ensure
    Workers::RactorLocalRefs.take(made.callable)
  end

  def test_a_runner_that_was_given_up_on_its_way_to_a_batch_leaves_it_to_others_and_ends
    push(made = batch(%w[a b], @log, item_timeout: 5), next_index = batch(%w[c], @log))
    @worker_status.abandon
    @runner.start
    assert_told :runner_died
    assert_nil @log.items
    @runner.give_up
    assert_equal [:audit, made], within(5) { @mailbox.receive }
    assert_equal next_index, @engine.run_queue.try_pop
  end

  def test_a_runner_that_cannot_be_ended_gives_back_what_it_had_kept
    deaf = ->(item) { Thread.handle_interrupt(Object => :never) { @hold.call(item) } }
    made = batch([0, 1, 2], Workers::RactorLocalRefs.keep(deaf)).isolated_part(0, 3)
    fill_begun
    @runner.start([made])
    eventually { @hold.begun.value == 1 }
    refute @runner.kill(0.01)
    assert_equal [[1, 3]], (@runner.give_up.map { |part| [part.limit - part.unclaimed, part.limit] })
  ensure
    Workers::RactorLocalRefs.take(made.callable)
  end

  def test_items_that_are_moved_come_in_parcels_until_their_dispatch_is_over
    push(over = moved_batch, made = moved_batch)
    @runner.start
    [[over, nil], [made, [0, [+"a", +"b"]]], [over, nil], [made, [2, [+"c"]]]].each do |expected, parcel|
      assert_ready(expected).send(parcel, move: true)
    end
    assert_results %w[aa bb cc], made
  end

  def test_a_parcel_that_comes_too_late_is_nobody_elses
    push(made = moved_batch)
    @runner.start
    late = assert_ready made
    assert @runner.kill(5)
    @runner.recovery(:thread)
    @mailbox.receive # :audit
    late.send([0, [+"late"]], move: true)
    push(other = moved_batch)
    @runner.start
    assert_ready(other).send([0, [+"a", +"b"]], move: true)
    assert_ready(made).send(nil)
    assert_ready(other).send([2, [+"c"]], move: true)
    assert_results %w[aa bb cc], other
    assert_raises(*Workers::Mailbox::CLOSED) { late.send(nil) }
  end

  def test_a_claim_for_which_no_parcel_came_is_given_back_and_looked_after
    push(made = moved_batch)
    @runner.start
    assert_ready made
    assert @runner.kill(5)
    assert_equal [made], @runner.recovery(:thread)
    assert_equal [:audit, made], within(5) { @mailbox.receive }
  end

  private

  # Of three items in two parcels.
  def moved_batch
    Workers::Batch.new(nil, 3, 2, Double, Workers::Options.new(move: true), 192)
  end

  # @return [Mailbox] where the runner waits for a parcel of the batch
  def assert_ready(made)
    what, whose, port = within(5) { @mailbox.receive }
    assert_equal [:ready, made], [what, whose]
    @ports << port
    port
  end
end
