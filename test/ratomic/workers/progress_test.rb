# frozen_string_literal: true

require "test_helper"

class ProgressTest < Minitest::Test
  Progress = Ratomic::Workers::Progress

  def test_it_says_how_much_of_what_is_done
    progress = Progress.new(3, 12)
    assert_equal [3, 12, 0.25, "3 of 12 items"], [progress.completed, progress.total, progress.fraction, progress.to_s]
  end

  def test_inspect_is_short
    assert_equal "#<Ratomic::Workers::Progress 3 of 12 items>", Progress.new(3, 12, seconds: 1.0).inspect
  end

  def test_it_can_be_taken_apart
    done, all = Progress.new(1, 2)
    assert_equal [1, 2], [done, all]
  end

  def test_an_empty_dispatch_is_done
    assert_in_delta 1.0, Progress.new(0, 0).fraction
  end

  def test_two_that_say_the_same_are_equal
    assert_equal Progress.new(1, 2), Progress.new(1, 2)
    refute_equal Progress.new(1, 2), Progress.new(2, 2)
    refute_equal Progress.new(1, 2), [1, 2]
  end
end
