# frozen_string_literal: true

require "test_helper"
require "support/learnt_costs"
require "support/worker_callables"

class FailuresTest < Minitest::Test
  include LearntCosts

  Workers = Ratomic::Workers
  Failures = Workers.const_get(:Failures)
  Failure = Workers::Failure
  ONE = Failure.new(nil, "KeyError", "one")
  TWO = Failure.new(3, "KeyError", "two")

  # Returns a Failure for each odd number.
  module RefuseOdd
    extend WorkerCallables::Summing

    def self.call(number)
      number.odd? ? Ratomic::Workers::Failure.new(nil, "KeyError", "odd") : number
    end
  end

  # As {RefuseOdd}, for a whole chunk.
  module RefuseOddOfMany
    def self.call(number)
      RefuseOdd.call(number)
    end

    def self.call_many(numbers)
      numbers.map { |number| call(number) }
    end
  end

  # Runs the item.
  module Pass
    def self.call(_item)
      yield
    end
  end

  SUM = proc { |sum, number| sum + number }

  def setup
    @pool = Workers::Pool.new(size: 2).start
  end

  def teardown
    @pool.kill
  end

  def test_an_instance_of_a_subclass_is_a_failure
    own = Class.new(Failure).new(nil, "KeyError", "own")
    assert Failures.any?([1, "two", Object.new, own])
    refute Failures.any?([1, "two", Object.new, BasicObject.new, nil])
    assert_equal 6, Failures.number([1, own], 5).last.index
  end

  def places(future)
    failures = within(30) { future.failures }
    assert_equal ["KeyError"], failures.map(&:exception_class).uniq
    failures.map(&:index)
  end

  def failed
    @pool.stats[:failures]
  end

  def test_it_finds_failures_among_anything
    refute Failures.any?([])
    refute Failures.any?([nil, true, 1, 1.5, :text, "text", 2**70, BasicObject.new, Object, Failure])
    assert Failures.any?([nil, TWO])
  end

  def test_a_failure_without_an_index_gets_that_of_its_item_and_another_keeps_it
    results = ["text", ONE, TWO].freeze
    numbered = Failures.number(results, 10)
    assert_equal ["text", ONE.at(11), TWO], numbered
    assert_nil ONE.index
    fine = [1, 2]
    assert_same fine, Failures.number(fine, 10)
  end

  def test_what_a_callable_returns_is_counted_in_workers
    stages = Workers.pipeline(RefuseOdd)
    [[RefuseOdd, {}], [RefuseOddOfMany, {}], [stages, { as: "stages" }],
     [RefuseOdd, { around: Pass }]].each do |callable, options|
      future = @pool.dispatch_async([0, 1, 2, 3], callable, min_batch: 0, **options)
      assert_equal [1, 3], places(future)
      assert_predicate future, :failed?
    end
    assert_equal({ "KeyError" => 8 }, failed)
    assert_equal 2, @pool.stats[:names]["stages"][:failures]
  end

  def test_with_time_limits_and_moved_and_in_order
    ways = [{ item_timeout: 60 }, { move: true }, { sequential: true }, { results: :owned }]
    ways.each.with_index(1) do |options, count|
      assert_equal [1, 3], places(@pool.dispatch_async([0, 1, 2, 3], RefuseOdd, min_batch: 0, **options)), options
      assert_equal({ "KeyError" => 2 * count }, failed, options)
    end
  end

  def test_in_the_caller
    %i[frozen owned].each.with_index(1) do |results, count|
      pretend(Workers::Callable.key(RefuseOdd), 100)
      future = @pool.dispatch_async([1, 2], RefuseOdd, results: results)
      assert_kind_of Workers::ResolvedFuture, future
      assert_equal [0], places(future)
      assert_equal({ "KeyError" => count }, failed)
    end
  end

  def test_in_the_shortest_way_of_the_caller
    engine = @pool.send(:engine)
    started = engine.metrics.tally.start
    items = [2, 1].freeze
    future = Workers::CallerRuns.at_once(engine, items, RefuseOdd, Workers::Options.new, started)
    assert_equal [1], places(future)
    assert_equal({ "KeyError" => 1 }, failed)
  end

  def test_in_the_thread_that_asks
    pretend(Workers::Callable.key(RefuseOdd), 100)
    future = @pool.dispatch_async([1, 2], RefuseOdd, run: :waiter)
    assert_equal [0], places(future)
    assert_equal({ "KeyError" => 1 }, failed)
  end

  def test_in_a_reduction
    [[RefuseOdd, {}, nil], [RefuseOddOfMany, { initial: 0 }, SUM]].each do |callable, options, block|
      reduction = within(30) { @pool.reduce([0, 1, 2, 3], callable, { min_batch: 0, **options }, &block) }
      assert_equal [2, [1, 3], 2], [reduction.sum, reduction.failures.map(&:index), reduction.failed]
    end
  end

  def test_its_event_has_the_index
    heard = Ratomic::Queue.new(100)
    @pool.subscribe(heard)
    within(30) { @pool.dispatch_async([0, 1], RefuseOdd, min_batch: 0).wait }
    failure = heard.pop_many(100).find { |event| event.name == :failed }
    assert_equal [1, 1], [failure[:item], failure[:failure].index]
  end
end
