# frozen_string_literal: true

require "test_helper"
require_relative "../../../examples/demo/runner"

# The check that the modes give equal results must be able to fail.
class DemoComparisonTest < Minitest::Test
  DOUBLE = ->(item) { item * 2 }

  # Raises for what is no number.
  module Number
    def self.call(text)
      Integer(text)
    end
  end

  # Gives the right results, except in the one mode and from the one call on that it is told.
  class WrongModes
    def initialize(mode, from, &spoil)
      @mode = mode
      @from = from
      @spoil = spoil
      @calls = Hash.new(0)
    end

    def names
      %w[sequential threads ractors forks]
    end

    def call(name, job)
      return if name == "forks"

      results = job.items.map { |item| Demo::Failed.guard(job.callable, item) }
      name == @mode && (@calls[name] += 1) >= @from ? @spoil.call(results) : results
    end
  end

  class Job
    attr_reader :items, :callable

    def initialize(items, callable)
      @items = items
      @callable = callable
    end

    def name
      "job"
    end

    def size
      items.size
    end

    def bytes(results)
      results.size
    end

    def outcome(results)
      results
    end
  end

  class Silence
    def step(_text); end
  end

  def run_job(modes, rounds: 1, callable: DOUBLE)
    Demo::Runner.new(modes, rounds, Silence.new).run(Job.new([1, 2, 3], callable))
  end

  def check(expected, results)
    Demo::Comparison.check(expected, results, "mode")
  end

  def mismatch(&block)
    assert_raises(Demo::Mismatch, &block).message
  end

  def test_equal_results_pass
    check([1, { "a" => [1.5] }], [1, { "a" => [1.5] }])
    assert_equal %w[sequential threads ractors forks], run_job(WrongModes.new("none", 1)).map(&:mode)
  end

  def test_a_result_that_differs_deep_inside_is_found_and_named
    message = mismatch { check([0, { "a" => [1, { "b" => 2 }] }], [0, { "a" => [1, { "b" => 3 }] }]) }
    assert_match(/\Amode: result 1 is .+3.+, but the sequential run has .+2/, message)
  end

  def test_results_in_another_order_or_number_are_found
    mismatch { check([1, 2], [2, 1]) }
    assert_match(/1 results where the sequential run has 2/, mismatch { check([1, 2], [1]) })
  end

  def test_failures_are_compared_by_class_and_message
    one = Demo::Failed.new("KeyError", "no a")
    check([one], [Demo::Failed.new("KeyError", "no a")])
    mismatch { check([one], [Demo::Failed.new("KeyError", "no b")]) }
    mismatch { check([one], [Demo::Failed.new("IndexError", "no a")]) }
    mismatch { check([one], [nil]) }
    mismatch { check([nil], [one]) }
  end

  def test_the_failure_of_a_worker_equals_that_of_the_caller
    items = %w[1 x 3].freeze
    expected = items.map { |item| Demo::Failed.guard(Number, item) }
    results = within(30) { Ratomic::Workers.dispatch_async(items, Number).value }
    assert_equal [1, "ArgumentError", 3], [expected[0], expected[1].exception_class, expected[2]]
    check(expected, results)
    mismatch { check([1, Demo::Failed.new("ArgumentError", "another message"), 3], results) }
  end

  def test_the_fingerprint_is_the_same_for_equal_results_only
    results = [{ "a" => [1, 2.5, "x"] }, Demo::Failed.new("KeyError", "no a")]
    copy = Marshal.load(Marshal.dump(results))
    assert_equal Demo::Comparison.fingerprint(results), Demo::Comparison.fingerprint(copy)
    copy[0]["a"][2] << "y"
    refute_equal Demo::Comparison.fingerprint(results), Demo::Comparison.fingerprint(copy)
    copy = Marshal.load(Marshal.dump(results))
    copy[1].message << "b"
    refute_equal Demo::Comparison.fingerprint(results), Demo::Comparison.fingerprint(copy)
  end

  def test_a_mode_that_is_wrong_in_its_first_run_stops_the_demo
    %w[threads ractors].each do |mode|
      message = mismatch { run_job(WrongModes.new(mode, 1, &:reverse)) }
      assert_match(/\Ajob, #{mode}: result 0 is 6, but the sequential run has 2\z/, message)
    end
  end

  def test_a_mode_that_goes_wrong_while_it_is_measured_stops_the_demo
    %w[threads ractors].each do |mode|
      modes = WrongModes.new(mode, 3) { |results| results.map { |result| result + 1 } }
      assert_match(/#{mode}: the results differ/, mismatch { run_job(modes, rounds: 3) })
    end
  end

  def test_a_mode_that_counts_something_else_stops_the_demo
    job = Job.new([1, 2, 3], DOUBLE)
    counts = [5, 5, 5, 4].each
    job.define_singleton_method(:outcome) { |results| [{ "rows" => counts.next }, *results] }
    message = mismatch { Demo::Runner.new(WrongModes.new("none", 1), 1, Silence.new).run(job) }
    assert_match(/the results differ/, message)
  end

  def test_medians_are_printed
    runner = Demo::Runner.new(nil, 1, nil)
    assert_equal([2.0, 2.5], [[3, 1, 2], [4, 1, 3, 2]].map { |list| runner.send(:median, list) })
  end
end
