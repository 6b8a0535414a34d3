# frozen_string_literal: true

require "test_helper"

class TrialsTest < Minitest::Test
  Trials = Ratomic::Workers::Trials

  def setup
    @trials = Trials.new
  end

  # How many of so many dispatches the caller does.
  def by_caller(dispatches)
    Array.new(dispatches) { @trials.caller?(:key) }.count(true)
  end

  def test_each_is_tried_before_they_are_compared
    assert @trials.caller?(:key)
    @trials.learn_caller(:key, 1_000, 10)
    refute @trials.caller?(:key)
  end

  def test_the_faster_one_has_the_work_and_the_other_a_share_of_it
    @trials.learn_caller(:key, 1_000, 10)
    @trials.learn_pool(:key, 2_000, 10)
    assert_equal (Trials::EVERY - 1) * 10, by_caller(Trials::EVERY * 10)
    20.times { @trials.learn_pool(:key, 500, 10) }
    assert_equal 10, by_caller(Trials::EVERY * 10)
  end

  def test_times_are_compared_by_item
    @trials.learn_caller(:key, 1_000, 10)
    @trials.learn_pool(:key, 5_000, 100)
    assert_equal 1, by_caller(Trials::EVERY)
  end

  def test_each_callable_has_its_own
    @trials.learn_caller(:other, 1_000, 10)
    @trials.learn_pool(:other, 1, 10)
    assert @trials.caller?(:key)
  end

  def test_it_is_shareable
    assert Ractor.shareable?(@trials)
  end
end
