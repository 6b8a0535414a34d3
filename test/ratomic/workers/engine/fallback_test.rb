# frozen_string_literal: true

require "test_helper"
require "support/shown_errors"

class FallbackTest < Minitest::Test
  include ShownErrors

  Workers = Ratomic::Workers
  Failure = Workers::Failure
  Fallback = Workers.const_get(:Fallback)

  FAULT = Failure.new(nil, "Ractor::IsolationError", "can not")
  OTHER = Failure.new(nil, "KeyError", "no key")

  module Work
    def self.call(item) = item
  end

  def setup
    skip_without_ractors
    settings = Workers::Settings.new(size: 1, backend: :ractor, fallback: :thread)
    @engine = Workers::Engine.new(settings, nil)
    @fallback = @engine.fallback
  end

  def batch(size, **options)
    Workers::Batch.new(Array.new(size, 1).freeze, size, size, Work, Workers::Options.new(options), size)
  end

  def spans(batch, first, results, last = nil)
    @fallback.spans(batch, first, results, last)&.map { |span| [span.from, span.to] }
  end

  def test_items_that_failed_so_are_run_again_and_no_others
    assert_nil spans(batch(9), 3, [1, OTHER, 2])
    assert_equal [[4, 5]], spans(batch(9), 3, [1, FAULT, 2])
    assert_equal [[3, 5], [6, 7]], spans(batch(9), 3, [FAULT, FAULT, OTHER, FAULT, 5])
  end

  def test_where_items_have_an_order_all_from_the_first_one_on
    made = batch(9, sequential: true)
    assert_equal [[4, 6]], spans(made, 3, [1, FAULT, 2])
    assert_equal [[4, 9]], spans(made, 3, [1, FAULT], 9)
  end

  def test_a_callable_is_remembered_and_told_of_once_by_many_threads
    events = Ratomic::Queue.new(100)
    @engine.subscribers.add(events)
    threads = Array.new(8) { Thread.new { 20.times { @fallback.remember(@engine, Work, "Work", "why") } } }
    within(20) { threads.each(&:join) }
    assert_equal 1, events.size
    assert_equal [:fallback, "Work", :thread, "why"],
                 events.pop.then { |event| [event.name, event[:callable], event[:backend], event[:reason]] }
    assert_equal "why", @fallback.reason(:unknown, Work)
    assert_equal({ "Work" => "why" }, @fallback.callables)
  end

  def test_the_number_of_callables_that_it_remembers_is_limited
    2_000.times { |number| @fallback.remember(@engine, number, number.to_s, "why") }
    assert_operator @fallback.callables.size, :<=, 1024
    assert_equal "why", @fallback.reason(1_999)
  end

  def test_a_proc_is_known_by_its_place_and_others_by_themselves
    first, second = Array.new(2) { proc { |item| item } }
    assert_equal Workers::Callable.label(first), Fallback.key(second)
    assert_equal Work, Fallback.key(Work)
    assert_equal "name", Fallback.key(first, "name")
    one, other = Array.new(2) { Object.new }
    refute_equal Fallback.key(one), Fallback.key(other)
  end

  # What is lost is looked for by whom it belongs to.
  def test_both_engines_know_which_items_the_other_has
    made = batch(6)
    there = Workers.const_get(:FallbackEngine).new(@engine, @engine.settings.of_fallback, nil)
    refute @engine.divided?(made)
    refute there.elsewhere?(made, 2)
    @fallback.send(:note, made.part(2, 4))
    assert_equal([2, 3], (0...6).select { |index| @engine.elsewhere?(made, index) })
    assert_equal([0, 1, 4, 5], (0...6).select { |index| there.elsewhere?(made, index) })
    assert there.divided?(made)
    there.forget(made)
    refute @engine.divided?(made)
  end

  # Where no thread can be made, items keep the Failures that they had.
  def test_an_item_that_cannot_be_run_again_keeps_its_failure
    made = batch(3)
    @engine.accept(made)
    @fallback.run(@engine, made.part(1, 3), FAULT) # an engine that is not running has no pool
    assert_equal [nil, "Ractor::IsolationError", "Ractor::IsolationError"],
                 (0...3).map { |index| made.completion[index]&.exception_class }
    assert_equal [1, 2], [made.completion[1].index, made.completion[2].index]
    assert_equal 1, @engine.metrics.troubles.value
  end

  NoRoom = Class.new(StandardError)

  def test_why_it_cannot_be_run_again_is_shown_once
    kind = Workers.const_get(:FallbackEngine)
    start = kind.method(:start)
    made = batch(2)
    @engine.accept(made)
    kind.define_singleton_method(:start) { |*| raise NoRoom, "no thread" }
    assert_shown(NoRoom, /the start of the fallback of the pool #{@engine.name}/) do
      2.times { |index| @fallback.run(@engine, made.part(index, index + 1), FAULT) }
    end
    assert_equal 2, @engine.metrics.troubles.value
  ensure
    kind.define_singleton_method(:start, start)
  end

  # That was asked for, and its items get their Failures.
  def test_a_fallback_that_was_shut_down_is_not_shown_as_an_error
    made = batch(1)
    @engine.accept(made)
    _, shown = capture_io { @fallback.run(@engine, made, FAULT) }
    assert_equal ["", ["Ractor::IsolationError"]], [shown, made.completion.to_a.map(&:exception_class)]
  end
end

class FallbackSettingsTest < Minitest::Test
  def test_the_values_of_fallback
    error = assert_raises(ArgumentError) { Ratomic::Workers::Pool.new(fallback: :ractor) }
    assert_equal "fallback: must be one of :thread, :process, not :ractor", error.message
    assert_nil Ratomic::Workers::Pool.new.fallback
    assert_equal :thread, Ratomic::Workers::Pool.new(fallback: :thread).fallback
  end

  def test_where_nothing_can_be_forked_processes_are_refused
    Process.singleton_class.alias_method(:kept_respond_to?, :respond_to?)
    Process.define_singleton_method(:respond_to?) { |name, *more| name != :fork && kept_respond_to?(name, *more) }
    error = assert_raises(NotImplementedError) { Ratomic::Workers::Pool.new(fallback: :process) }
    assert_match(/fallback: :process needs a system that can fork/, error.message)
  ensure
    Process.singleton_class.remove_method(:respond_to?)
    Process.singleton_class.remove_method(:kept_respond_to?)
  end

  # Also in reduced mode, where there are no Ractors.
  def test_it_changes_nothing_for_workers_that_are_no_ractors
    %i[thread inline].each do |backend|
      pool = Ratomic::Workers::Pool.new(size: 1, backend: backend, fallback: :thread, min_batch: 0)
      assert_equal [2], within(20) { pool.dispatch_async([2], FallbackTest::Work).value(timeout: 15) }
      explained = pool.explain([1], FallbackTest::Work)
      assert_equal({ backend: :thread, used: false,
                     why: "without effect: the workers of this pool are not Ractors" }, explained.to_h[:fallback])
      assert_equal [nil, 0], pool.stats[:fallbacks].values_at(:backend, :workers)
    ensure
      pool.kill
    end
  end
end
