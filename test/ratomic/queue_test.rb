# frozen_string_literal: true

require "test_helper"
require "support/native_contract"

# What goes in and out of a queue, with nobody waiting. See queue/ for waiting, endings and sharing.
class QueueTest < Minitest::Test
  include NativeContract

  def test_it_works_as_the_readme_shows
    queue = Ratomic::Queue.new(128)
    queue.push("hello")
    queue << "world"
    assert_equal 2, queue.size
    refute_predicate queue, :empty?
    assert_equal "hello", queue.peek
    assert_equal "hello", queue.pop
    assert_equal "world", queue.pop
    assert_predicate queue, :empty?
  end

  def test_every_name_of_an_operation_does_it
    queue = Ratomic::Queue.new(9)
    assert_same queue, queue.push(1)
    assert_same queue, queue.enq(2)
    assert_same queue, queue << 3 << 4
    assert_equal [4, 4, 9, 9], [queue.size, queue.length, queue.capacity, queue.max]
    assert_equal [1, 2, 3], [queue.pop, queue.shift, queue.deq]
    assert_equal "#<Ratomic::Queue 1 of 9>", queue.inspect
    assert_equal "#<Ratomic::Queue 1 of 9, closed>", queue.close.inspect
  end

  def test_capacities_are_exact
    [1, 2, 3, 7, 100, 1_000, 1_023].each do |capacity|
      queue = Ratomic::Queue.new(capacity)
      3.times do
        capacity.times { |item| assert queue.try_push(item) }
        refute queue.try_push(:one_more)
        assert_equal capacity, queue.size
        assert_equal (0...capacity).to_a, Array.new(capacity) { queue.try_pop }
      end
    end
  end

  def test_the_largest_capacity_can_be_filled
    queue = Ratomic::Queue.new(2**20)
    (2**20).times { |item| queue << item }
    refute queue.try_push(0)
    assert_equal [0, 1], [queue.pop, queue.pop]
    assert_equal (2**20) - 2, queue.size
  end

  def test_a_capacity_outside_its_range_is_an_argument_error
    [0, -1, (2**20) + 1, 2**70, -(2**70)].each do |capacity|
      error = assert_raises(ArgumentError) { Ratomic::Queue.new(capacity) }
      assert_includes error.message, capacity.to_s
    end
  end

  def test_a_capacity_that_is_no_integer_is_a_type_error
    [1.0, "1", nil, :one, [1], 1r].each { |capacity| assert_raises(TypeError) { Ratomic::Queue.new(capacity) } }
    assert_raises(ArgumentError) { Ratomic::Queue.new }
  end

  def test_nil_and_false_are_items
    queue = Ratomic::Queue.new(3)
    queue << nil << false
    assert_nil queue.peek
    assert_equal [nil, false], queue.pop_many(5)
  end

  def test_trying_does_not_wait
    queue = Ratomic::Queue.new(1)
    within(2) do
      assert_nil queue.try_pop
      assert_equal true, queue.try_push(1)
      assert_equal false, queue.try_push(2)
      assert_equal 1, queue.try_pop
    end
  end

  def test_pop_many_takes_what_is_there_in_order_and_at_most_so_many
    queue = Ratomic::Queue.new(300)
    250.times { |item| queue << item }
    assert_equal [0, 1, 2], queue.pop_many(3)
    assert_equal (3...250).to_a, queue.pop_many(10**9)
    assert_equal [], queue.pop_many(1, timeout: 0)
    assert_raises(ArgumentError) { queue.pop_many(0) }
    assert_raises(TypeError) { queue.pop_many(1.5) }
    assert_raises(ArgumentError) { queue.pop_many }
  end

  def test_clear_drops_every_item_and_returns_the_queue
    queue = Ratomic::Queue.new(3)
    queue << 1 << 2
    assert_same queue, queue.clear
    assert_predicate queue, :empty?
    assert queue.try_push(3)
    assert_equal 3, queue.pop
  end

  def test_a_closed_queue_refuses_pushes_drains_and_then_returns_nil
    queue = Ratomic::Queue.new(3)
    queue << 1 << 2
    refute_predicate queue, :closed?
    assert_same queue, queue.close
    assert_same queue, queue.close, "closing twice is nothing"
    assert_predicate queue, :closed?
    [-> { queue.push(3) }, -> { queue << 3 }, -> { queue.try_push(3) }, -> { queue.push(3, timeout: 0) }].each do |push|
      assert_raises(ClosedQueueError, &push)
    end
    within(2) { assert_equal [1, [2], nil, nil, [], nil], drained(queue) }
  end

  def test_a_closed_and_full_queue_refuses_at_once
    queue = Ratomic::Queue.new(1)
    (queue << 1).close
    within(2) { assert_raises(ClosedQueueError) { queue.push(2) } }
  end

  def test_keywords_are_checked
    queue = Ratomic::Queue.new(2)
    assert_raises(ArgumentError) { queue.push(1, time: 1) }
    assert_raises(ArgumentError) { queue.pop(timeout: 1, other: 2) }
    assert_raises(ArgumentError) { queue.push(timeout: 1) }
    assert_raises(ArgumentError) { queue.pop(1) }
    assert_raises(ArgumentError) { queue.push(1, 2) }
    assert_raises(ArgumentError) { queue.pop(timeout: -1) }
    assert_raises(ArgumentError) { queue.pop(timeout: Float::NAN) }
    error = assert_raises(TypeError) { queue.pop(timeout: "1") }
    assert_equal "timeout: must be seconds as a number, or nil, not \"1\"", error.message
    assert_predicate queue, :empty?
  end

  def test_unknown_keywords_are_named_whatever_they_are
    queue = Ratomic::Queue.new(2)
    ["", "é", "é".encode("UTF-16LE"), "\xFF".b, "odd", 5, nil].each do |text|
      name = Object.new
      name.define_singleton_method(:inspect) { text }
      ruby = assert_raises(KeyError) { {}.fetch(name) }.message.delete_prefix("key not found: ")
      error = assert_raises(ArgumentError) { queue.pop(**{ name => 1 }) }
      assert_equal "unknown keyword: #{ruby}", error.message
    end
    error = assert_raises(ArgumentError) { queue.pop(timeout: 0, "timeout" => 1, other: 2) }
    assert_equal "unknown keyword: \"timeout\", :other", error.message
  end

  def test_a_hash_in_braces_is_an_item
    queue = Ratomic::Queue.new(2)
    queue.push({ timeout: 1 })
    queue << { "a" => 1 }
    assert_equal [{ timeout: 1 }, { "a" => 1 }], queue.pop_many(2)
  end

  def test_every_kind_of_timeout_is_understood
    queue = Ratomic::Queue.new(1)
    [0, 0.0, 0.001, 1r / 1000, nil, Float::INFINITY, 10**30].each do |timeout|
      queue << 1
      assert_equal 1, queue.pop(timeout: timeout)
    end
  end

  private

  def build
    Ratomic::Queue.new(4)
  end

  def build_of(subclass)
    subclass.new(4)
  end

  def arguments
    [4]
  end

  def use(queue)
    queue.push(:item)
    assert_equal :item, queue.pop
    queue
  end

  def drained(queue)
    [queue.pop, queue.pop_many(9), queue.pop, queue.pop(timeout: 1), queue.pop_many(9), queue.try_pop]
  end
end
