# frozen_string_literal: true

require "test_helper"

class WeightTest < Minitest::Test
  def test_an_item_may_call_anything_its_bytesize
    sized = Struct.new(:name, :bytesize)
    [nil, "x", -1000, Float::NAN, 1.5].each do |bytes|
      assert_equal Ratomic::Workers::Weight::ITEM, Ratomic::Workers::Weight.of([sized.new("a", bytes)])
    end
    assert_equal Ratomic::Workers::Weight::ITEM + 9, Ratomic::Workers::Weight.of([sized.new("a", 9)])
    ways = [-> { raise "no" }, -> { raise NotImplementedError }]
    raising = ways.map { |way| Class.new { define_method(:bytesize, &way) }.new }
    raising.each { |item| assert_equal Ratomic::Workers::Weight::ITEM, Ratomic::Workers::Weight.of([item]) }
  end

  Weight = Ratomic::Workers::Weight

  def test_an_item_weighs_something_and_what_has_bytes_weighs_these_too
    assert_equal 3 * Weight::ITEM, Weight.of([1, :two, nil])
    assert_equal (2 * Weight::ITEM) + 10, Weight.of(%w[hello world])
    assert_equal Weight::ITEM + 5, Weight.of(["hello"])
    assert_equal Weight::ITEM + 7, Weight.of_one(Struct.new(:bytesize).new(7))
  end

  def test_a_long_list_is_estimated_from_a_sample
    long = Array.new(100_000) { "x" * 100 }
    assert_in_delta 100_000 * (Weight::ITEM + 100), Weight.of(long), 100_000
  end

  def test_a_part_of_a_list_is_summed
    assert_equal (2 * Weight::ITEM) + 5, Weight.sum(%w[a bb ccc d], 1, 2)
    assert_equal 2 * Weight::ITEM, Weight.sum([1, 2, 3, 4], 1, 2)
  end

  def test_nothing_weighs_nothing
    assert_equal 0, Weight.of([])
  end
end
