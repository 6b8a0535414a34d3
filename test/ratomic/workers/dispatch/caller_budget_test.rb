# frozen_string_literal: true

require "test_helper"

class CallerBudgetTest < Minitest::Test
  CallerBudget = Ratomic::Workers::CallerBudget

  # A clock that goes on by so many nanoseconds with each item, and counts the looks.
  class Clock
    attr_reader :looks

    def initialize(step, spike: 0)
      @step = step
      @spike = spike
      @now = @looks = 0
    end

    def call(item)
      raise KeyError, "no such key" if item == :fail

      @now += @step
      @now += @spike if item == :spike
      item
    end

    def start
      @looks += 1
      @now
    end
  end

  def pace(items, clock, results = [])
    @failed = CallerBudget.run(items, clock, results, clock, CallerBudget::BUDGET_NS)
    results
  end

  def test_quick_items_all_run_and_are_seldom_asked_about
    clock = Clock.new(10)
    assert_equal (0...100).to_a, pace((0...100).to_a, clock)
    assert_equal 5, clock.looks
    refute @failed
  end

  def test_slow_items_are_left_when_they_were_late_twice
    assert_equal [0, 1], pace((0...50).to_a, Clock.new(CallerBudget::BUDGET_NS))
    assert_equal :left, @failed
    assert_equal 8, pace((0...50).to_a, Clock.new(CallerBudget::BUDGET_NS / 3)).size
  end

  def test_once_a_busy_machine_may_do_it
    clock = Clock.new(10, spike: CallerBudget::BUDGET_NS * 20)
    assert_equal 50, pace([:spike, *0...49], clock).size
  end

  def test_it_goes_on_where_the_results_end
    assert_equal [:done, 1, 2], pace([0, 1, 2], Clock.new(1), [:done])
  end

  def test_an_item_that_raises_is_a_failure_in_its_place
    results = pace([0, :fail, 2, :fail], Clock.new(1))
    assert_equal true, @failed
    assert_equal [1, 3], results.grep(Ratomic::Workers::Failure).map(&:index)
  end

  def test_without_a_limit_nobody_looks
    clock = Clock.new(CallerBudget::BUDGET_NS)
    assert_equal 50, CallerBudget.run((0...50).to_a, clock, results = [], nil, nil) ? 0 : results.size
    assert_equal 0, clock.looks
  end
end
