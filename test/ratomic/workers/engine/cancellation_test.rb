# frozen_string_literal: true

require "test_helper"
require "support/mailboxes"
require "support/engine_room"
require "support/interruption"

# The engine has no workers: the test does what these and the callers do, step by step.
class CancellationTest < Minitest::Test
  include Mailboxes
  include EngineRoom
  include Interruption

  Workers = Ratomic::Workers
  CANCELLED = "Ratomic::Workers::CancelledError"

  # A batch that something happens to when a thread is about to file its last results.
  class Met < Workers::Batch
    class << self
      attr_accessor :before, :after
    end

    def finish
      self.class.before&.call(self)
      super.tap { self.class.after&.call(self) }
    end
  end

  def setup
    @mailbox = open_mailbox
    @engine = Workers::Engine.new(Workers::Settings.new(size: 2, backend: :thread), @mailbox)
    @heard = Ratomic::Queue.new(100)
    @engine.subscribers.add(@heard)
  end

  def teardown
    Met.before = Met.after = nil
  end

  def met(items, **options)
    items = Ractor.make_shareable(items)
    made = Met.new(items, items.size, items.size, Double, Workers::Options.new(options), items.size * 64)
    made.tap { @engine.accept(made) }
  end

  def file(made, first, results)
    @engine.file(made, first, Ractor.make_shareable(results), results.any?(Workers::Failure))
  end

  # Makes an engine that is closing, and whose only dispatch is not done.
  def closing
    setup
    batch([1]).tap { @engine.close }
  end

  # Does this at each point where it can be interrupted, to the only dispatch of a closing pool.
  def assert_tells_of_the_end(doing)
    %i[raise kill].each do |way|
      last = closing
      ended = interrupt_everywhere(way, -> { doing.call(last) }) do |point|
        assert_equal @engine.idle?, told { nil }.include?(Workers::Engine::WIND_UP), point
        last = closing
      end
      assert_operator ended, :>, 10
    end
  end

  # Has another thread kill this one.
  def kill_from_outside
    Thread.new(Thread.current, &:kill).join
  end

  # Dispatches that were completed and cancelled, items that are left, Failures, and the events.
  def counts
    stats = Workers::Stats.new(@engine).to_h
    events = @heard.pop_many(100, timeout: 0).to_a.map(&:name)
    [*stats[:dispatches].values_at(:completed, :cancelled), @engine.accepted.value - @engine.finished.value,
     stats[:failures], events]
  end

  def test_a_closing_pool_is_told_of_its_last_dispatch_wherever_its_end_is_interrupted
    assert_tells_of_the_end(->(last) { @engine.cancel(last) })
    assert_tells_of_the_end(->(last) { file(last, 0, [2]) })
  end

  def test_a_cancel_just_before_the_last_results_are_filed_ends_it
    made = met([1, 2], as: "two")
    file(made, 0, [2])
    Met.before = ->(batch) { assert_equal 1, @engine.cancel(batch) }
    file(made, 1, [4])
    assert_equal [0, 1, 0, { CANCELLED => 1 }, [:cancelled]], counts
    assert_equal [2, CANCELLED], made.completion.to_a.map { |slot| slot.is_a?(Integer) ? slot : slot.exception_class }
    assert_predicate made, :stopped?
    assert_equal 1, @engine.metrics.names.to_h["two"][:failures]
  end

  # Ctrl-C, and what a handler of a signal raises, is not deferred in the main thread. Nothing else could end the batch.
  def test_a_signal_between_the_count_and_the_last_results_loses_none
    made = met([1, 2])
    file(made, 0, [2])
    Met.after = ->(_) { raise Interrupt }
    assert_raises(Interrupt) { file(made, 1, [4]) }
    assert_equal [2, 4], made.completion.to_a
    assert_predicate @engine, :idle?
  end

  def test_late_results_of_a_cancelled_dispatch_do_not_make_the_pool_idle
    met([1])
    made = met([1, 2])
    assert_equal 2, @engine.cancel(made)
    file(made, 0, [2, 4])
    assert_equal [3, 2], [@engine.accepted.value, @engine.finished.value]
    refute_predicate @engine, :idle?
  end

  def test_a_cancel_between_the_count_and_the_last_results_changes_nothing
    made = met([1, 2])
    file(made, 0, [2])
    Met.after = ->(batch) { assert_equal 0, @engine.cancel(batch) }
    file(made, 1, [4])
    assert_equal [1, 0, 0, {}, [:completed]], counts
    assert_equal [2, 4], made.completion.to_a
    refute_predicate made, :stopped?
  end

  def test_its_time_may_end_in_the_same_moment
    made = met([1], timeout: 1)
    Met.after = ->(batch) { @engine.expire(batch) }
    file(made, 0, [2])
    assert_equal [1, 0, 0, {}, [:completed]], counts
    assert_equal 0, @engine.metrics.expired.value
    assert_equal [2], made.completion.to_a
  end

  def test_a_cancel_after_items_that_may_be_filed_twice_changes_nothing
    made = met([1], item_timeout: 60)
    Met.before = ->(batch) { assert_equal 0, @engine.cancel(batch) }
    file(made, 0, [2])
    assert_equal [1, 0, 0, {}, [:completed]], counts
  end

  def test_late_results_of_a_cancelled_dispatch_are_not_counted
    made = met([1, 2], as: "late")
    assert_equal 2, @engine.cancel(made)
    file(made, 0, [2, Workers::Failure.new(1, "KeyError", "late")])
    assert_equal [0, 1, 0, { CANCELLED => 2 }], counts.first(4)
    assert_equal 2, @engine.metrics.names.to_h["late"][:failures]
  end

  def test_it_is_counted_before_a_caller_sees_it
    made = met([1, 2])
    counted = nil
    @engine.stop(made, Workers::PoolFailures::KILLED) do |count|
      counted = [count, made.completion.completed, @engine.finished.value]
    end
    assert_equal [2, 0, 2], counted
    assert_predicate made.completion, :complete?
    assert_equal 0, @engine.stop(made, Workers::PoolFailures::KILLED) { flunk "it was over" }
  end

  def test_nothing_is_filed_while_what_is_left_is_counted
    made = met([1, 2])
    @engine.stop(made, Workers::PoolFailures::KILLED) { file(made, 0, [2, 4]) }
    assert_equal [0, 0, 0, { "Ratomic::Workers::ShutdownError" => 2 }, []], counts
    assert_equal 0, made.completion.to_a.grep(Integer).size
  end

  def test_slots_are_filled_also_if_the_count_raises
    made = met([1])
    assert_raises(KeyError) { made.stop(Workers::PoolFailures::KILLED) { raise KeyError } }
    assert_predicate made.completion, :complete?
  end

  def test_a_thread_that_is_killed_while_it_files_has_filed_and_counted_once
    made = met([1])
    Met.after = ->(_) { kill_from_outside }
    Thread.new { file(made, 0, [2]) }.join
    assert_equal [1, 0, 0, {}, [:completed]], counts
    assert_equal [2], made.completion.to_a
  end

  def test_a_thread_that_is_killed_while_it_cancels_has_cancelled
    made = met([1])
    Thread.new { @engine.stop(made, Workers::PoolFailures::KILLED) { kill_from_outside } }.join
    assert_predicate made.completion, :complete?
    assert_equal 0, @engine.accepted.value - @engine.finished.value
  end
end
