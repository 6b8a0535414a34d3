# frozen_string_literal: true

require "test_helper"
require "support/worker_callables"

class SupervisedRunTest < Minitest::Test
  include WorkerCallables

  Workers = Ratomic::Workers
  Context = Workers::Context

  # Says where it runs.
  module Where
    def self.call(_item)
      [Thread.current.object_id, Context.current]
    end
  end

  def setup
    @engine = Workers::UncoordinatedEngine.new(Workers::Settings.new(backend: :inline))
  end

  # A turn with all of the items.
  def turn(items, callable, kind: Workers::Batch, **options)
    items = Workers::Transfer.pack(items)
    size = items.size
    @batch = kind.new(items, size, size, callable, Workers::Options.new(options), size * 64)
    @engine.accept(@batch)
    Workers::SupervisedRun.new(@engine, Workers::Chunk.new(@batch, callable, @batch.claim(size), size, 1))
  end

  # @return [Array<Integer>] the first and the last item of each part that is left
  def left(turn)
    within(10) { turn.run }.map { |part| [part.limit - part.unclaimed, part.limit - 1] }
  end

  def results
    @batch.completion.to_a
  end

  def classes
    results.map { |result| result.is_a?(Workers::Failure) ? result.exception_class : result }
  end

  def test_all_items_run_in_one_thread_that_is_not_the_callers
    turn = turn([1, 2], Where, context: :trace)
    Context.with(:mine) do
      assert_empty turn.run
      assert_equal :mine, Context.current
    end
    assert_equal [:trace], results.map(&:last).uniq
    assert_equal 1, results.map(&:first).uniq.size
    refute_equal Thread.current.object_id, results[0][0]
    assert_predicate @engine, :idle?
  end

  def test_errors_and_throws_of_an_item_are_its_failure
    caught = catch(:tag) { left(turn([1, :raise_error, :throw_tag, 4], Misbehave)) }
    assert_empty caught
    assert_equal [1, "KeyError", "UncaughtThrowError", 4], classes
  end

  def test_an_item_that_cannot_cross_is_a_failure_and_its_neighbours_run
    assert_empty left(turn([1, Thread.current, 3], Double))
    assert_equal [2, "Ratomic::ShareableError", 6], classes
  end

  def test_items_after_one_that_ends_its_thread_are_returned
    assert_equal [[2, 3]], left(turn([1, :end_thread, 3, 4], Misbehave))
    assert_equal [1, Workers::PoolFailures.died(@batch.target, 1, :thread), nil, nil], results
    assert_equal [[1, 1], [2, 2]], left(turn([1, :end_thread, 3], Misbehave, retries: 1))
  end

  def test_an_item_that_runs_too_long_is_interrupted_and_those_behind_it_come_back
    started = Workers::Clock.now
    assert_equal [[2, 3]], left(turn([0, 30, 0, 0], Sleep, item_timeout: ITEM_TIMEOUT_S))
    assert_includes ITEM_TIMEOUT_S..(ITEM_TIMEOUT_S + 5), Workers::Clock.now - started
    assert_equal [0, Workers::PoolFailures.overdue(@batch, 1), nil, nil], results
    assert_equal 1, @engine.metrics.overdue.value
    assert_equal({ Workers::ItemTimeoutError.name => 1 }, @engine.metrics.failures.to_h)
  end

  def test_an_item_that_cannot_be_interrupted_is_left_behind
    stubborn = Class.new(Hold) do
      def call(item)
        item == 1 ? Thread.handle_interrupt(Object => :never) { super } : item
      end
    end.new
    assert_leaves_nothing do
      assert_equal [[2, 2]], left(turn([0, 1, 2], stubborn, item_timeout: 0.1))
      assert_equal [0, Workers::PoolFailures.overdue(@batch, 1), nil], results
      assert_empty left(turn([0, 1, 2], stubborn, timeout: 0.1))
      assert_equal [0, Workers::DispatchTimeoutError.name, Workers::DispatchTimeoutError.name], classes
      stubborn.open
    end
  end

  def test_each_item_has_its_own_time
    assert_empty left(turn([0.3] * 5, Sleep, item_timeout: 1.4))
    assert_equal [0.3] * 5, results
    assert_equal 0, @engine.metrics.overdue.value
  end

  def test_when_the_time_of_the_dispatch_is_up_nothing_is_left
    started = Workers::Clock.now
    assert_empty left(turn([30, 30], Sleep, timeout: 0.2, item_timeout: 20, retries: 1))
    assert_includes 0.2..5, Workers::Clock.now - started
    assert_equal [Workers::DispatchTimeoutError.name] * 2, classes
    assert_match(/\(timeout:\), when 0 of 2 items were done/, results[0].message)
    assert_equal [1, 0], [@engine.metrics.expired.value, @engine.metrics.overdue.value]
  end

  def test_a_result_that_takes_too_long_to_freeze_holds_nobody_up
    started = Workers::Clock.now
    ways = ->(item) { item == :end_thread ? Thread.exit : Make.call(item) }
    assert_leaves_nothing { assert_empty left(turn([1, [:sleep].freeze, :end_thread, 4].freeze, ways, timeout: 0.3)) }
    assert_operator Workers::Clock.now - started, :<, 5
    assert_equal [Workers::DispatchTimeoutError.name] * 3, classes.last(3)
  end

  def test_items_that_are_done_when_the_time_is_up_keep_their_results
    [{}, { item_timeout: 20 }].each do |watch|
      assert_empty left(turn([0, :raise_error, 30], ->(item) { item == 30 ? sleep(30) : Misbehave.call(item) },
                             timeout: DONE_IN_TIME_S, **watch))
      assert_equal [0, "KeyError", Workers::DispatchTimeoutError.name], classes
      assert_match(/when 2 of 3 items were done/, results[2].message)
    end
    assert_equal({ "KeyError" => 2, Workers::DispatchTimeoutError.name => 2 }, @engine.metrics.failures.to_h)
  end

  # A dispatch that was made a minute ago.
  class Old < Workers::Batch
    def expiry
      super - 60
    end
  end

  # The time of a dispatch begins when it is made, not with the turn.
  def test_a_turn_that_begins_too_late_has_no_time_left
    hold = Hold.new
    late = turn([1], hold, timeout: 60, kind: Old)
    assert_empty left(late)
    assert_equal [Workers::DispatchTimeoutError.name, 0], [classes[0], hold.finished.value]
  end

  def test_a_dispatch_that_others_interrupt_ends
    hold = Hold.new
    turn = turn([1, 2], hold)
    other = Thread.new do
      eventually { hold.begun.value == 1 }
      @engine.cancel(@batch)
      @engine.interrupt(@batch)
    end
    assert_leaves_nothing { assert_empty left(turn) }
    within(5) { other.join }
    eventually { Workers::AtExit::RUNS.zero? }
    assert_equal [[Workers::CancelledError.name] * 2, 0], [classes, hold.finished.value]
  end

  def test_a_thread_that_cannot_be_interrupted_is_known_until_it_has_ended
    stuck = Workers::AtExit::STUCK.value
    hold = Hold.new
    deaf = ->(item) { Thread.handle_interrupt(Object => :never) { hold.call(item) } }
    assert_empty left(turn([1], deaf, item_timeout: 0.1))
    caller = Thread.new { turn([1], deaf).run }
    eventually { hold.begun.value == 2 }
    within(5) { caller.kill.join }
    assert_equal stuck + 2, Workers::AtExit::STUCK.value
    hold.open
    eventually { Workers::AtExit::STUCK.value == stuck }
  end

  def test_a_caller_that_ends_takes_the_thread_with_it
    hold = Hold.new
    assert_leaves_nothing do
      caller = Thread.new { turn([1, 2], hold).run }
      eventually { hold.begun.value == 1 }
      within(5) { caller.kill.join }
    end
    assert_equal [1, 0], [hold.begun.value, hold.finished.value]
  end

  def test_an_exception_raised_into_the_caller_is_not_that_of_an_item
    hold = Hold.new
    caller = Thread.new do
      Thread.handle_interrupt(KeyError => :never) { assert_empty turn([1, 2, 3], hold).run }
    end
    caller.report_on_exception = false
    eventually { hold.begun.value == 1 }
    caller.raise(KeyError)
    hold.open
    assert_raises(KeyError) { within(5) { caller.value } }
    assert_equal [1, 2, 3], results
    refute_predicate Workers::SupervisedRun::Guard, :pending_interrupt?
  end
end
