# frozen_string_literal: true

require "test_helper"
require_relative "../../../examples/demo/thread_pool"

class DemoThreadPoolTest < Minitest::Test
  def with_pool(size)
    pool = Demo::ThreadPool.new(size)
    yield pool
  ensure
    within(5) { pool.shutdown }
  end

  def test_results_keep_the_order_of_the_items
    with_pool(3) do |pool|
      [0, 1, 2, 50, 1_000].each do |count|
        items = (0...count).to_a
        assert_equal(items.map { |item| item * 3 }, within(5) { pool.map(items, ->(item) { item * 3 }) })
      end
    end
  end

  def test_the_work_is_done_by_as_many_threads_as_there_are
    with_pool(2) do |pool|
      meeting = Thread::Queue.new
      answer = Thread::Queue.new
      # Each of the two waits for the other, so one thread alone would never end.
      swap = lambda do |item|
        item.zero? ? (meeting << :hello) && answer.pop : (answer << meeting.pop)
        Thread.current
      end
      assert_equal 2, within(5) { pool.map([0, 1], swap) }.uniq.size
    end
  end

  def test_an_item_that_raises_is_marked_in_its_place
    with_pool(2) do |pool|
      results = within(5) { pool.map(%w[1 x 3], ->(text) { Integer(text) }) }
      assert_equal [1, "ArgumentError", 3], [results[0], results[1].exception_class, results[2]]
      assert_match(/invalid value/, results[1].message)
    end
  end

  def test_an_exception_that_is_no_standard_error_reaches_the_caller
    with_pool(2) do |pool|
      assert_raises(NotImplementedError) { within(5) { pool.map([1], ->(_item) { raise NotImplementedError }) } }
      assert_equal [2], within(5) { pool.map([1], ->(item) { item + 1 }) }
    end
  end
end
