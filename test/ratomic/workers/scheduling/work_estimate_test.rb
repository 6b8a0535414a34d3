# frozen_string_literal: true

require "test_helper"

class WorkEstimateTest < Minitest::Test
  def test_a_bytesize_that_is_no_number_does_not_count
    sized = Struct.new(:name, :bytesize)
    [nil, "x", -1000, Float::NAN, 1.5].each do |bytes|
      weight = Ratomic::Workers::WorkEstimate.of([sized.new("a", bytes)])
      assert_equal Ratomic::Workers::WorkEstimate::ITEM_WEIGHT, weight
    end
    assert_equal Ratomic::Workers::WorkEstimate::ITEM_WEIGHT + 9, Ratomic::Workers::WorkEstimate.of([sized.new("a", 9)])
    ways = [-> { raise "no" }, -> { raise NotImplementedError }]
    raising = ways.map { |way| Class.new { define_method(:bytesize, &way) }.new }
    estimate = Ratomic::Workers::WorkEstimate
    raising.each { |item| assert_equal estimate::ITEM_WEIGHT, estimate.of([item]) }
  end

  WorkEstimate = Ratomic::Workers::WorkEstimate

  # An interrupt of another thread would come there in the same way.
  def test_an_exception_from_another_thread_is_not_taken_for_an_error_of_the_item
    item = Class.new { define_method(:bytesize) { Thread.current.raise(KeyError, "from outside") } }.new
    assert_raises(KeyError) { WorkEstimate.of([item]) }
  end

  def test_an_item_has_a_weight_and_its_bytes_are_added
    assert_equal 3 * WorkEstimate::ITEM_WEIGHT, WorkEstimate.of([1, :two, nil])
    assert_equal (2 * WorkEstimate::ITEM_WEIGHT) + 10, WorkEstimate.of(%w[hello world])
    assert_equal WorkEstimate::ITEM_WEIGHT + 5, WorkEstimate.of(["hello"])
    assert_equal WorkEstimate::ITEM_WEIGHT + 7, WorkEstimate.of_one(Struct.new(:bytesize).new(7))
  end

  def test_a_long_list_is_estimated_from_a_sample
    long = Array.new(100_000) { "x" * 100 }
    assert_in_delta 100_000 * (WorkEstimate::ITEM_WEIGHT + 100), WorkEstimate.of(long), 100_000
  end

  def test_a_part_of_a_list_is_summed
    assert_equal (2 * WorkEstimate::ITEM_WEIGHT) + 5, WorkEstimate.sum(%w[a bb ccc d], 1, 2)
    assert_equal 2 * WorkEstimate::ITEM_WEIGHT, WorkEstimate.sum([1, 2, 3, 4], 1, 2)
  end

  def test_items_that_are_not_all_strings_are_weighed_one_by_one
    own = Class.new(String) { def bytesize = 1000 }.new("x")
    items = ["aaa", own, 5, nil, "b"]
    assert_equal (5 * WorkEstimate::ITEM_WEIGHT) + 1004, WorkEstimate.sum(items)
    assert_equal [1, 2, 4, 5], [100, 1140, 1260, 1500].map { |budget| WorkEstimate.within(items, 0, 5, budget) }
  end

  def test_as_many_items_as_a_budget_allows
    items = %w[a bb ccc dddd]
    budgets = [0, 64, 65, 65 + 65, 65 + 66, 10_000]
    assert_equal [0, 0, 1, 1, 2, 4], budgets.map { |budget| WorkEstimate.within(items, 0, 4, budget) }
    assert_equal [2, 1], [WorkEstimate.within(items, 1, 2, 10_000), WorkEstimate.within(items, 3, 9, 70)]
    assert_equal [0, 3, 9], [63, 200, 10_000].map { |budget| WorkEstimate.within([1] * 9, 0, 9, budget) }
  end

  def test_a_sample_is_taken_from_all_of_a_list
    items = Array.new(1024) { |n| n < 512 ? "" : "x" * 100 }
    assert_equal 1024 * (WorkEstimate::ITEM_WEIGHT + 50), WorkEstimate.of(items)
  end

  def test_no_items_weigh_nothing
    assert_equal 0, WorkEstimate.of([])
  end
end
