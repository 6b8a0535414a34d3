# frozen_string_literal: true

require "test_helper"
require_relative "../../../examples/demo/work"

class DemoWorkTest < Minitest::Test
  Work = Demo::Work

  # Sums lengths.
  module Lengths
    def self.initial
      0
    end

    def self.call(text)
      text.size
    end

    def self.merge(sum, other)
      sum + other
    end
  end

  def test_results_without_the_dropped_ones_and_with_what_failed
    results = Work.all([1, 2, 0, 4], ->(n) { n == 2 ? Ratomic::Workers::DROPPED : 8 / n })
    assert_equal [8, "ZeroDivisionError", 2], [results[0], results[1].exception_class, results[2]]
  end

  def test_a_callable_that_merges_gives_one_sum
    assert_equal [6], Work.all(%w[a bb ccc], Lengths)
    assert_equal [0], Work.all([], Lengths)
    assert_equal [9], Work.join([[1, 2], [6]], Lengths)
    assert_equal [1, 2, 6], Work.join([[1, 2], [6]], :call.to_proc)
  end

  def test_shares_are_of_about_the_same_size
    assert_equal [[1, 2, 3], [4, 5]], Work.split([1, 2, 3, 4, 5], 2)
    assert_equal [], Work.split([], 2)
    assert_equal [[1]], Work.split([1], 4)
  end
end
