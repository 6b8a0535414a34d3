# frozen_string_literal: true

require "test_helper"
require "support/mailboxes"
require "support/engine_room"
require "support/shown_errors"

class WorkerTest < Minitest::Test
  include Mailboxes
  include EngineRoom
  include ShownErrors

  Outside = Class.new(StandardError)

  Workers = Ratomic::Workers

  def setup
    @mailbox = open_mailbox
    @engine = Workers::Engine.new(Workers::Settings.new(size: 1, backend: :thread), @mailbox)
    @hold = Hold.new
    @threads = []
    @controls = []
    @stuck = Workers::AtExit::STUCK.value
  end

  def teardown
    @hold.open
    @engine.run_queue.close
    within(5) { @threads.each(&:join) }
    [@mailbox, *@controls].each(&:close)
    assert_equal @stuck, Workers::AtExit::STUCK.value
  ensure
    Workers::AtExit::STUCK.reset(@stuck)
  end

  # @return [Mailbox] where it listens
  def start(id = 1, parts = [])
    @worker_status = Workers::WorkerStatus.new(id)
    @threads << @thread = Workers::Backend::Threads.spawn(@engine, @worker_status, parts)
    what, who, control = receive
    assert_equal [:up, id], [what, who]
    @controls << control
    control
  end

  def receive
    within(5) { @mailbox.receive }
  end

  def push(made)
    @engine.run_queue.try_push(made)
    made
  end

  # A batch of one chunk, of which the first item has run and the second one waits in the hold.
  def held(callable = @hold)
    @hold.open(1)
    made = push(batch([0, 1, 2, 3], callable, sequential: true))
    eventually { @hold.begun.value == 2 }
    made
  end

  # @return [Array] the results, and what they are instead
  def results(made)
    assert made.completion.wait(5)
    made.completion.to_a.map { |result| result.is_a?(Workers::Failure) ? result.exception_class : result }
  end

  def test_it_says_where_it_listens_and_ends_when_it_is_told
    control = start
    assert_equal [2, 4], results(push(batch([1, 2])))
    control.send([:stop].freeze)
    assert_equal [:gone, 1, true, []], receive
    within(5) { @thread.join }
    assert_equal 0, @engine.run_queue.instance_variable_get(:@searching).value
  end

  def test_it_ends_when_the_lane_is_closed_and_empty
    made = push(batch([1, 2]))
    @engine.run_queue.close
    start(7)
    assert_equal [:gone, 7, true, []], receive
    assert_equal [2, 4], results(made)
  end

  def test_an_item_that_ends_its_thread_ends_no_worker_and_its_neighbours_have_results
    start
    made = push(batch([1, :end_thread, 3, :end_thread, 5], Misbehave, sequential: true))
    assert_equal [1, "ThreadError", 3, "ThreadError", 5], results(made)
    assert_equal [4], results(push(batch([2])))
    assert_equal 2, @engine.metrics.runners_replaced.value
    assert_predicate @thread, :alive?
  end

  def test_an_item_that_is_interrupted_ends_and_the_rest_runs
    control = start
    made = held
    control.send([:interrupt, made.ticket + 1, nil].freeze)
    control.send([:interrupt, made.ticket, nil].freeze)
    eventually { @hold.begun.value == 3 }
    @hold.open
    assert_equal [0, "ThreadError", 2, 3], results(made)
    assert_equal 1, @engine.metrics.runners_replaced.value
  end

  def test_it_files_what_it_has_when_it_is_asked_and_goes_on
    control = start
    made = held
    control.send([:file, other = batch([1])].freeze)
    assert_equal [:filed, other], receive
    refute made.completion.filled?(0)
    control.send([:file, made].freeze)
    assert_equal [:filed, made], receive
    assert_equal [true, false], [made.completion.filled?(0), made.completion.filled?(1)]
    @hold.open
    assert_equal [0, 1, 2, 3], results(made)
    assert_equal 5, @engine.accepted.value
    assert_equal 4, @engine.finished.value
  end

  def test_results_that_are_filed_twice_are_counted_once
    control = start
    made = held(Workers::RactorLocalRefs.keep(->(item) { @hold.call(item) && item.zero? ? raise(KeyError) : item }))
    control.send([:file, made].freeze)
    assert_equal [:filed, made], receive
    @hold.open
    assert_equal ["KeyError", 1, 2, 3], results(made)
    assert_equal({ "KeyError" => 1 }, @engine.metrics.failures.to_h)
    assert_equal 4, @engine.finished.value
  ensure
    Workers::RactorLocalRefs.take(made.callable)
  end

  def test_an_exception_raised_into_its_main_thread_is_counted_and_ends_nothing
    start
    made = held
    until_asleep(@thread)
    @thread.raise(KeyError, "from outside")
    eventually { @engine.metrics.troubles.value == 1 }
    assert_equal ["KeyError: from outside"], @engine.metrics.trouble_log.keys
    assert_predicate @thread, :alive?
    @hold.open
    results(made)
    assert_equal [4], results(push(batch([2])))
  end

  def test_an_exception_raised_into_its_main_thread_is_shown_once
    start
    assert_shown(Outside, /the main thread of a worker of the pool #{@engine.name}/) do
      2.times do |before|
        until_asleep(@thread)
        @thread.raise(Outside, "from outside")
        eventually { @engine.metrics.troubles.value == before + 1 }
      end
    end
  end

  def test_a_worker_that_is_stopped_hands_over_what_it_has_not_run
    control = start
    made = held
    control.send([:stop].freeze)
    what, id, wanted, parts = receive
    assert_equal [:gone, 1, true], [what, id, wanted]
    @hold.open
    start(2, parts)
    assert_equal [0, "ThreadError", 2, 3], results(made)
  end

  def test_a_worker_whose_main_thread_is_killed_was_not_meant_to_end
    start
    made = held
    @thread.kill
    what, id, wanted, parts = receive
    assert_equal [:gone, 1, false], [what, id, wanted]
    @hold.open
    start(2, parts)
    assert_equal [0, "ThreadError", 2, 3], results(made)
    assert_match(/ended its worker/, made.completion[1].message)
  end

  # With the Ractor, or the thread, nobody is left who could receive it.
  def test_a_parcel_that_comes_after_the_end_of_its_worker_is_refused
    start
    push(Workers::Batch.new(nil, 1, 1, Double, Workers::Options.new(move: true), 64))
    what, _, parcel_mailbox = receive
    assert_equal :ready, what
    within(5) { @thread.kill.join }
    assert_raises(*Workers::Mailbox::CLOSED) { parcel_mailbox.send([0, [+"late"]], move: true) }
  end

  def test_a_worker_whose_main_thread_is_killed_while_it_replaces_its_runner_loses_no_item
    start
    main = @thread
    replaced = TracePoint.new(:call) do |event|
      next unless event.method_id == :start && Thread.current.equal?(main)

      replaced.disable
      Thread.new { main.kill }.join
    end
    replaced.enable
    made = push(batch([1, :end_thread, 3], Misbehave, sequential: true))
    message = receive until message&.first == :gone
    start(2, message.last)
    assert_equal [1, "ThreadError"], results(made).first(2)
  ensure
    replaced&.disable
  end

  def test_a_worker_that_was_given_up_files_what_it_has_and_leaves_the_rest_to_others
    control = start
    made = held
    Workers::AtExit.stuck(@worker_status)
    control.send([:stop].freeze)
    assert_left_to_others made
  end

  def test_a_worker_that_is_stopped_waits_for_no_item_that_cannot_be_interrupted
    deaf = Workers::RactorLocalRefs.keep(->(item) { Thread.handle_interrupt(Object => :never) { @hold.call(item) } })
    control = start
    made = held(deaf)
    control.send([:stop].freeze)
    assert_left_to_others made
    assert_equal @stuck + 1, Workers::AtExit::STUCK.value, "it is known until it has ended"
  ensure
    Workers::RactorLocalRefs.take(deaf)
  end

  private

  def assert_left_to_others(made)
    assert_equal [:audit, made], receive
    assert_equal [:gone, 1, true, []], receive
    assert_equal [true, false, false, false], Array.new(4) { |index| made.completion.filled?(index) }
  end
end
