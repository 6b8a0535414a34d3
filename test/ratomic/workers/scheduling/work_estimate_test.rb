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

  def test_no_items_weigh_nothing
    assert_equal 0, WorkEstimate.of([])
  end
end
