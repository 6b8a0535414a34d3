# frozen_string_literal: true

require "test_helper"

class ReductionTest < Minitest::Test
  Workers = Ratomic::Workers

  def test_it_tells_of_every_item
    failure = Workers::Failure.new(3, "KeyError", "no key")
    reduction = Workers::Reduction.new({ a: 1 }, [failure], 4, 5, 6)
    assert_equal [15, false, { a: 1 }], [reduction.size, reduction.ok?, reduction.sum]
    assert_equal "5 of 15 items in the sum, 6 dropped, 4 failed", reduction.to_s
    assert_includes reduction.inspect, "6 dropped"
    assert_predicate reduction.failures, :frozen?
    assert_equal 3, assert_raises(Workers::ItemError) { reduction.check }.failure.index
  end

  def test_without_failures_the_check_passes
    reduction = Workers::Reduction.new(1, [], 0, 2, 0)
    assert_same reduction, reduction.check
  end

  def test_failures_of_which_none_was_kept_are_raised_by_their_number
    error = assert_raises(Workers::ItemError) { Workers::Reduction.new(1, [], 2, 5, 0).check }
    assert_match(/2 of 7 items failed/, error.message)
  end
end
