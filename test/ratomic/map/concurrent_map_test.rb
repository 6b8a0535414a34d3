# frozen_string_literal: true

require "test_helper"

# What users of Concurrent::Map look for.
class MapConcurrentMapTest < Minitest::Test
  def setup
    @map = Ratomic::Map.new
    @map[:a] = 1
  end

  def test_put_and_compute_if_absent
    assert_equal 2, @map.put(:b, 2)
    assert_equal(1, @map.compute_if_absent(:a) { flunk "it is there" })
    assert_equal(3, @map.compute_if_absent(:c) { 3 })
    assert_equal({ a: 1, b: 2, c: 3 }, @map.to_h)
  end

  def test_put_if_absent_returns_the_present_value
    assert_equal 1, @map.put_if_absent(:a, 2)
    assert_nil @map.put_if_absent(:b, 2)
    assert_nil @map.put_if_absent(:nil, nil)
    assert_nil @map.put_if_absent(:nil, 5)
    assert_equal({ a: 1, b: 2, nil: nil }, @map.to_h)
  end

  def test_get_and_set_returns_the_value_before
    assert_equal 1, @map.get_and_set(:a, 2)
    assert_nil @map.get_and_set(:b, 3)
    assert_equal({ a: 2, b: 3 }, @map.to_h)
  end

  def test_replace_if_exists_stores_only_over_a_value
    assert_equal 1, @map.replace_if_exists(:a, 2)
    assert_nil @map.replace_if_exists(:b, 2)
    assert_equal({ a: 2 }, @map.to_h)
  end

  def test_one_of_many_concurrent_puts_stores_and_each_value_is_taken_once
    threads = Array.new(8) do |number|
      Thread.new { [@map.put_if_absent(:new, number), @map.get_and_set(:turn, number)] }
    end
    results = within(10) { threads.map(&:value) }
    assert_equal 1, results.count { |put, _| put.nil? }
    assert_equal [*0...8].sort, [*results.filter_map(&:last), @map[:turn]].sort
  end

  def test_methods_of_concurrent_map_take_a_timeout
    entered = Ratomic::Queue.new(1)
    leave = Ratomic::Queue.new(1)
    owner = Thread.new { @map.compute(:a) { |value| entered.push(1) && leave.pop && value } }
    within(10) { entered.pop }
    [-> { @map.get_and_set(:a, 2, timeout: 0) }, -> { @map.replace_if_exists(:a, 2, timeout: 0.01) },
     -> { @map.put(:a, 2, timeout: 0) }].each { |call| assert_raises(Ratomic::TimeoutError, &call) }
    leave.push(1)
    within(10) { owner.join }
    assert_equal 1, @map[:a]
  end

  def test_each_yields_pairs_as_each_pair_does
    assert_equal [[:a, 1]], @map.each.to_a
    @map.each { |key, value| assert_equal [:a, 1], [key, value] }
    @map.each_pair { |key, value| assert_equal [:a, 1], [key, value] }
  end
end
