# frozen_string_literal: true

require "test_helper"
require_relative "../../../examples/cdc/cdc"
require_relative "../../../examples/cdc/group_queue"

class CdcGroupQueueTest < Minitest::Test
  # Adds numbers, in place of rows, and tells who did. Workers wait at the gate, if there is one, until the thread that
  # reads has opened it.
  class Sum
    def initialize(gate = nil)
      @gate = gate
      freeze
    end

    def count_all(numbers)
      here = Thread.current[:cdc_reader] ? :reader : :worker
      raise ArgumentError, "no number" if numbers.include?(nil)

      wait(here) if @gate
      [numbers.sum, here]
    end

    private

    def wait(here)
      return if here == :reader
      return unless (open = @gate.pop(timeout: 20))

      @gate.try_push(open)
    end
  end

  def setup
    @pool = Ratomic::Workers::Pool.new(size: 2, name: "cdc-test")
  end

  def teardown
    @queue&.close
    assert within(30) { @pool.shutdown(timeout: 20) }
  end

  def test_each_group_is_counted_once_and_the_results_are_in_order
    @queue = Cdc::GroupQueue.new(Sum.new, @pool)
    reading do
      sums = []
      (1..300).each do |number|
        @queue.push([number, 1000])
        @queue.each_ready { |sum, _who| sums << sum }
      end
      @queue.finish
      @queue.each_ready { |sum, _who| sums << sum }

      assert_equal (1001..1300).to_a, sums
    end
  end

  def test_the_first_group_and_what_the_workers_have_no_room_for_is_counted_by_the_caller
    gate = Ratomic::Queue.new(1)
    @queue = Cdc::GroupQueue.new(Sum.new(gate), @pool)
    many = Cdc::GroupQueue::IN_FLIGHT * 2
    reading do
      (0..(many + 5)).each { |number| @queue.push([number]) }
      gate.push(true)
      @queue.finish
      results = results()

      assert_equal (0..(many + 5)).to_a, results.map(&:first)
      assert_equal :reader, results.first.last
      assert_equal [:reader] * 5, results.last(5).map(&:last)
    end
  end

  # Each worker has taken one group at most.
  def test_in_the_end_the_caller_counts_what_no_worker_has_begun
    gate = Ratomic::Queue.new(1)
    @queue = Cdc::GroupQueue.new(Sum.new(gate), @pool)
    reading do
      7.times { |number| @queue.push([number]) }
      opener = Thread.new { eventually(20) { @queue.instance_variable_get(:@groups).empty? } && gate.push(true) }
      @queue.finish
      opener.join
      results = results()

      assert_equal (0..6).to_a, results.map(&:first)
      assert_operator results.count { |_sum, who| who == :reader }, :>=, 5
    end
  end

  # Each Ractor has its own heap there, and a collection is counted by the one that asked for it.
  def test_where_only_a_collection_of_the_whole_process_frees_what_was_handed_out_it_is_asked_for
    skip "one heap" unless Ratomic::HEAP_PER_RACTOR

    @queue = Cdc::GroupQueue.new(Sum.new, @pool)
    reading do
      @queue.push([1], Cdc::GroupQueue::COLLECT_BYTES)
      before = GC.stat(:major_gc_count)
      2.times { @queue.push([1], Cdc::GroupQueue::COLLECT_BYTES / 2) }

      assert_operator GC.stat(:major_gc_count), :>, before
      @queue.finish
    end
  end

  def test_what_a_worker_raises_is_raised_in_the_end_and_nothing_hangs
    @queue = Cdc::GroupQueue.new(Sum.new, @pool)
    reading do
      @queue.push([1])
      @queue.push([nil])
      error = assert_raises(StandardError) { @queue.finish }

      assert_match(/no number/, error.message)
    end
  end

  def test_what_a_worker_raises_ends_a_stream_that_goes_on
    @queue = Cdc::GroupQueue.new(Sum.new, @pool)
    reading do
      2.times { |number| @queue.push([number.zero? ? 1 : nil]) }
      error = assert_raises(StandardError) { loop { @queue.push([1]) } }

      assert_match(/no number/, error.message)
    end
  end

  def test_a_group_that_nobody_counted_is_noticed
    gate = Ratomic::Queue.new(1)
    @queue = Cdc::GroupQueue.new(Sum.new(gate), @pool)
    reading do
      5.times { |number| @queue.push([number]) }
      assert within(20) { @queue.instance_variable_get(:@groups).pop } # as a worker that died with it
      gate.push(true)
      error = assert_raises(Cdc::Error) { @queue.finish }

      assert_equal "a worker ended, and 1 groups of rows were not counted", error.message
    end
  end

  def test_without_a_finish_the_workers_end_when_it_is_closed
    @queue = Cdc::GroupQueue.new(Sum.new, @pool)
    5.times { |number| @queue.push([number]) }
  end

  private

  def reading
    within(30) do
      Thread.current[:cdc_reader] = true
      yield
    end
  end

  def results
    [].tap { |found| @queue.each_ready { |*result| found << result.flatten } }
  end
end
