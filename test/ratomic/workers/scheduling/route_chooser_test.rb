# frozen_string_literal: true

require "test_helper"

class RouteChooserTest < Minitest::Test
  RouteChooser = Ratomic::Workers::RouteChooser

  def setup
    @route_chooser = RouteChooser.new
  end

  # How many of so many dispatches the caller does.
  def by_caller(dispatches)
    Array.new(dispatches) { @route_chooser.caller?(:key) }.count(true)
  end

  def test_both_routes_are_tried_before_they_are_compared
    assert @route_chooser.caller?(:key)
    @route_chooser.learn_caller(:key, 1_000, 10)
    refute @route_chooser.caller?(:key)
  end

  def test_the_faster_route_gets_the_work_and_the_slower_one_a_sample
    @route_chooser.learn_caller(:key, 1_000, 10)
    @route_chooser.learn_pool(:key, 2_000, 10)
    assert_equal (RouteChooser::EXPLORE_RATE - 1) * 10, by_caller(RouteChooser::EXPLORE_RATE * 10)
    20.times { @route_chooser.learn_pool(:key, 500, 10) }
    assert_equal 10, by_caller(RouteChooser::EXPLORE_RATE * 10)
  end

  def test_times_are_compared_for_each_item
    @route_chooser.learn_caller(:key, 1_000, 10)
    @route_chooser.learn_pool(:key, 5_000, 100)
    assert_equal 1, by_caller(RouteChooser::EXPLORE_RATE)
  end

  def test_each_callable_has_times_of_its_own
    @route_chooser.learn_caller(:other, 1_000, 10)
    @route_chooser.learn_pool(:other, 1, 10)
    assert @route_chooser.caller?(:key)
  end

  def test_the_first_samples_are_all_taken_and_the_fastest_of_them_counts
    @route_chooser = RouteChooser.new(samples: 3)
    [9_000, 1_000, 5_000].each do |time|
      assert @route_chooser.caller?(:key)
      @route_chooser.learn_caller(:key, time, 10)
    end
    [9_000, 8_000, 1_500].each do |time|
      refute @route_chooser.caller?(:key)
      @route_chooser.learn_pool(:key, time, 10)
    end
    assert_equal 31, by_caller(32)
    @route_chooser.learn_caller(:key, 1_000_000, 10)
    assert_equal [125.0, 150.0], @route_chooser.times(:key),
                 "a sample that is far too long counts as twice the average"
    20.times { @route_chooser.learn_pool(:key, 500, 10) }
    assert_equal 1, by_caller(32), "later samples go into an average"
  end

  def test_the_caller_s_way_is_settled_when_both_times_are_known_and_it_is_the_faster_one
    @route_chooser.learn_caller(:key, 1_000, 10)
    refute @route_chooser.settled?(:key)
    @route_chooser.learn_pool(:key, 2_000, 10)
    assert @route_chooser.settled?(:key)
    20.times { @route_chooser.learn_pool(:key, 100, 10) }
    refute @route_chooser.settled?(:key)
  end

  def test_a_caller_that_does_not_do_it_is_asked_less_often_until_it_does
    @route_chooser = RouteChooser.new(samples: 3)
    2.times { @route_chooser.note_unused(:key) }
    assert @route_chooser.caller?(:key)
    @route_chooser.note_unused(:key)
    assert_equal 2, by_caller(64)
    @route_chooser.learn_caller(:key, 1_000, 10)
    assert @route_chooser.caller?(:key)
  end

  def test_the_pool_has_to_be_faster_by_the_margin
    @route_chooser = RouteChooser.new(margin: 1.1)
    @route_chooser.learn_caller(:key, 1_050, 10)
    @route_chooser.learn_pool(:key, 1_000, 10)
    assert_equal 31, by_caller(32)
    @route_chooser.learn_caller(:key, 1_500, 10)
    assert_equal 1, by_caller(32)
  end

  def test_a_way_that_is_far_slower_is_tried_less_often
    @route_chooser = RouteChooser.new(slow_rate: 128)
    @route_chooser.learn_caller(:key, 1_000, 10)
    @route_chooser.learn_pool(:key, 2_000, 10)
    assert_equal 31 * 8, by_caller(32 * 8)
    @route_chooser.learn_pool(:key, 20_000, 10)
    assert_equal 127 * 2, by_caller(128 * 2)
  end

  def test_it_is_shareable
    assert Ractor.shareable?(@route_chooser)
  end
end
