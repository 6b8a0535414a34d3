# frozen_string_literal: true

require "test_helper"
require "support/mailboxes"
require "support/engine_room"
require "support/shown_errors"

class CoordinatorTest < Minitest::Test
  include Mailboxes
  include EngineRoom
  include ShownErrors

  Workers = Ratomic::Workers

  Fault = Class.new(StandardError)
  NoTimer = Class.new(ThreadError)
  Fatal = Class.new(Exception) # rubocop:disable Lint/InheritException -- which ends a coordinator

  # A backend whose workers are dead before they say a word.
  module Stillborn
    def self.spawn(*)
      Thread.new { nil }.tap(&:join)
    end
  end

  def setup
    @before = Thread.list
    @engine = Workers::Engine.new(Workers::Settings.new(size: 1, backend: :thread), open_mailbox)
    @coordinator = Workers::Coordinator.new(@engine)
    @thread = Thread.new { @coordinator.run }
    @hold = Hold.new
    @port = open_mailbox
    @over = batch([])
  end

  def teardown
    @hold.open
    @engine.run_queue.close
    eventually { Thread.list.none? { |thread| thread.name&.start_with?("ratomic-#{@engine.name}-") } }
    @engine.kill
    eventually { (Thread.list - @before).empty? }
    @port.close
  end

  # An accepted dispatch, which nobody has put into the run queue.
  def batch(items, callable = Double, **options)
    given = items.freeze unless options[:move]
    made = Workers::Batch.new(given, items.size, items.size, callable, Workers::Options.new(options), items.size * 64)
    made.tap { @engine.accept(made) }
  end

  # A batch whose only item a worker has in hand until the hold is opened.
  def held(made = batch([1], @hold))
    @engine.run_queue.try_push(made)
    eventually { @hold.begun.value == 1 }
    made
  end

  def tell(*message)
    @engine.post(message.freeze)
  end

  def test_it_has_a_method_for_each_of_its_messages
    assert_empty(Workers::Coordinator::OWN.reject { |name| @coordinator.respond_to?(name, true) })
  end

  # What the timer queue says after a pause in a crash loop.
  def test_a_worker_is_started_when_its_time_has_come
    eventually { @engine.worker_statuses.size == 1 }
    tell(:start_worker, [].freeze)
    eventually { @engine.worker_statuses.size == 2 }
  end

  def test_a_worker_that_comes_up_and_ends_while_the_pool_is_killed_is_no_trouble
    held
    @engine.kill
    gone = Workers::Mailbox.open.tap(&:close)
    tell(:up, 1, gone)
    @hold.open
    assert @engine.terminated.wait(5)
    assert_equal 0, @engine.metrics.troubles.value
  end

  # Returns when the coordinator has handled all that it was told before.
  def settle
    tell(:ready, @over, @port)
    assert_nil within(5) { @port.receive }
  end

  def assert_failures(exception_class, made)
    assert made.completion.wait(5)
    assert_equal([exception_class] * made.size, made.completion.to_a.map(&:exception_class))
  end

  # :exited and :aborted, as Ruby 4.0 says it, and with the Ractor, as later ones do.
  def test_the_end_of_a_ractor_has_two_forms
    looked = 0
    @coordinator.define_singleton_method(:look_for_dead) { looked += 1 }
    [:exited, :aborted, [Ractor.current, :exited], [Ractor.current, :aborted]].each_with_index do |message, before|
      @engine.post(Ractor.make_shareable(message))
      settle
      assert_equal before + 1, looked
    end
    assert_equal 0, @engine.metrics.troubles.value
  end

  def test_a_message_that_raises_is_counted_and_it_goes_on
    tell(:up)
    tell(:no_such_message, 1)
    @engine.run_queue.try_push(made = batch([1, 2]))
    assert_results [2, 4], made
    settle
    assert_equal 1, @engine.metrics.troubles.value
    assert_match(/ArgumentError/, @engine.metrics.trouble_log.keys.first)
  end

  def test_an_error_is_shown_once
    @coordinator.define_singleton_method(:lost) { |_id| raise Fault, "in the coordinator" }
    assert_shown(Fault, /the coordinator of the pool #{@engine.name}: .*coordinator_test.rb/) do
      2.times { tell(:lost, 1) }
      settle
    end
    assert_equal 2, @engine.metrics.troubles.value
  end

  def test_that_it_gets_no_timer_is_counted_and_shown_once
    engine = Workers::Engine.new(Workers::Settings.new(size: 1, backend: :thread), UntimedMailbox.new)
    timer_queue = Workers::Coordinator.new(engine).instance_variable_get(:@timer_queue)
    assert_shown(NoTimer, /the timer of the pool #{engine.name}: .*can't create Thread/) do
      without_timers(NoTimer) { 2.times { timer_queue.add(Workers::Clock.now + 3600, :later) } }
    end
    assert_equal 1, engine.metrics.troubles.value
  end

  def test_an_error_that_ends_it_is_shown_too
    @coordinator.define_singleton_method(:lost) { |_id| raise Fatal, "the end" }
    @thread.report_on_exception = false
    assert_shown(Fatal, /the coordinator of the pool/) do
      tell(:lost, 1)
      assert_raises(Fatal) { within(5) { @thread.join } }
    end
    assert_equal 1, @engine.metrics.troubles.value
    @thread = Thread.new { @coordinator.run }
  end

  def test_put_back_to_work_it_starts_no_second_set_of_workers
    settle
    @thread.kill.join
    @thread = Thread.new { @coordinator.run }
    settle
    assert_equal [1], @engine.worker_statuses.keys
  end

  def test_a_parcel_and_the_worker_that_is_ready_for_it_meet_in_either_order
    2.times do |late|
      made = batch([1], move: true)
      steps = [[:parcel, made.ticket, 0, [+"item"]], [:ready, made, @port]]
      steps.rotate(late).each { |step| tell(*step) }
      assert_equal [0, ["item"]], within(5) { @port.receive }
    end
  end

  def test_a_worker_that_is_ready_for_what_was_dropped_waits_no_longer
    made = batch([1], move: true)
    tell(:ready, made, @port)
    tell(:drop, made.ticket)
    assert_nil within(5) { @port.receive }
  end

  def test_a_deadline_ends_a_dispatch_when_it_is_due
    made = batch([1, 2], timeout: 0.05)
    due = Workers::Clock.now + 0.05
    tell(:deadline, made, due, :expire)
    assert_failures "Ratomic::Workers::DispatchTimeoutError", made
    assert_operator Workers::Clock.now, :>=, due
  end

  def test_it_ends_when_the_pool_is_closed_and_all_is_done_and_no_sooner
    made = [held, batch([2], @hold)]
    2.times do
      tell(:wind_up)
      settle
      refute_predicate @coordinator, :ended?
      @engine.close
    end
    @engine.run_queue.try_push(made[1])
    @hold.open
    assert @engine.terminated.wait(5)
    within(5) { @thread.join }
    assert_predicate @coordinator, :ended?
    made.zip([[1], [2]]) { |one, expected| assert_results expected, one }
    assert_raises(*Workers::Mailbox::CLOSED) { @engine.mailbox.send(:late) }
  end

  def test_it_waits_for_the_worker_of_a_dispatch_that_was_cancelled
    @engine.cancel(held)
    @engine.close
    tell(:wind_up)
    settle
    assert_predicate @engine, :idle?
    refute_predicate @coordinator, :ended?
    @hold.open
    assert @engine.terminated.wait(5)
  end

  def test_it_waits_for_the_next_worker_when_there_is_none_and_work_to_do
    held
    @engine.close
    [1, 2].each { |id| tell(:gone, id, false, [].freeze) } # the third comes after a pause
    settle
    refute_predicate @coordinator, :ended?
    @hold.open
    assert @engine.terminated.wait(5)
  end

  def test_a_kill_stops_the_workers_before_it_ends
    @engine.subscribers.add(events = Ratomic::Queue.new(100))
    running = held
    @engine.run_queue.try_push(waiting = batch([1, 2]))
    @engine.kill
    assert @engine.terminated.wait(5)
    [running, waiting].each { |made| assert_failures "Ratomic::Workers::ShutdownError", made }
    assert_equal %i[worker_ended ended], events.pop_many(100).map(&:name).last(2)
  end

  def test_a_worker_that_never_answers_holds_a_kill_up_no_longer_than_its_patience
    held
    tell(:up, 1, @port) # where it listens from here on, as far as the coordinator knows
    started = Workers::Clock.now
    @engine.kill
    assert_equal [:stop], within(5) { @port.receive }
    tell(:start_worker, [].freeze)
    tell(:up, 2, @port)
    assert_equal [:stop], within(5) { @port.receive }, "who comes late is stopped as well"
    assert_equal [1], @engine.worker_statuses.keys, "no worker is started any more"
    assert @engine.terminated.wait(Workers::Coordinator::STOP_TIMEOUT_S + 3)
    assert_operator Workers::Clock.now - started, :>=, Workers::Coordinator::STOP_TIMEOUT_S
  end

  def test_parts_that_ended_workers_leave_are_run_or_stopped_with_the_pool
    tell(:start_worker, [made = batch([1, 2])].freeze)
    assert_results [2, 4], made
    assert_equal [1, 2], @engine.worker_statuses.keys.sort
    held
    left = batch([1, 2])
    [1, 2].each { |id| tell(:up, id, @port) } # no worker that is stopped hears of it
    @engine.kill
    tell(:gone, 1, false, [left].freeze)
    assert_failures "Ratomic::Workers::ShutdownError", left
    assert_equal 0, @engine.metrics.respawns.value
  end

  def test_parts_that_wait_for_the_next_worker_are_stopped_with_the_pool
    left = batch([1, 2])
    @coordinator.instance_variable_get(:@timer_queue).add(Workers::Clock.now + 60, :start_worker, [left])
    held
    @engine.kill
    assert_failures "Ratomic::Workers::ShutdownError", left
  end

  def test_parts_from_a_worker_that_was_abandoned_long_ago_are_run
    tell(:gone, 77, true, [left = batch([1, 2])].freeze)
    assert_results [2, 4], left
    assert_equal 0, @engine.metrics.respawns.value
  end

  def test_the_chunk_of_a_lost_worker_runs_elsewhere
    made = held
    tell(:lost, 1)
    eventually { @hold.begun.value == 2 }
    assert_equal [2], @engine.worker_statuses.keys
    @hold.open
    assert_results [1], made
  end

  def test_moved_items_are_lost_with_their_worker
    made = batch([1], @hold, move: true)
    tell(:parcel, made.ticket, 0, [+"item"])
    held(made)
    tell(:lost, 1)
    assert_failures "ThreadError", made
    assert_match(/handed over/, made.completion[0].message)
  end

  def test_when_ruby_tells_of_an_end_it_looks_whose_it_was
    settle
    registry = @coordinator.instance_variable_get(:@registry)
    registry.instance_variable_set(:@backend, Stillborn)
    tell(:start_worker, [].freeze)
    settle
    assert_equal [1, 2], @engine.worker_statuses.keys.sort
    registry.instance_variable_set(:@backend, Workers::Backend::Threads)
    @engine.post(:exited)
    eventually { @engine.worker_statuses.keys.sort == [1, 3] }
    assert_equal 1, @engine.metrics.respawns.value
  end

  def test_a_coordinator_that_was_killed_tells_when_there_is_no_thread_for_another
    result = assert_success(ruby(<<~RUBY))
      require "ratomic"
      NONE_LEFT = Ratomic::Counter.new
      Ratomic::Workers::OwnThread.singleton_class.prepend(Module.new do
        def start(*, **)
          raise ThreadError, "none left" unless NONE_LEFT.zero?

          super
        end
      end)
      pool = Ratomic::Workers::Pool.new(size: 1, name: "mine")
      pool.map(["1"], Ratomic::Workers::ParseJSON, min_batch: 0)
      NONE_LEFT.increment
      Thread.list.find { |thread| thread.name == "ratomic-coordinator" }.kill
      Thread.pass until pool.stats[:troubles][:last].key?("ThreadError: none left")
      exit!(true)
    RUBY
    assert_match(/^ratomic: an error in the coordinator of the pool mine: ThreadError: none left/, result.err)
  end
end
