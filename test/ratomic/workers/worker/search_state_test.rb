# frozen_string_literal: true

require "test_helper"

class SearchStateTest < Minitest::Test
  Workers = Ratomic::Workers

  def setup
    @run_queue = Workers::RunQueue.new(4, 1)
    @worker_status = Workers::WorkerStatus.new(1)
    @search_state = Workers::SearchState.new(@run_queue, @worker_status)
  end

  # Workers that are about to look into the run queue, more than at first.
  def looking
    @run_queue.instance_variable_get(:@searching).value
  end

  def test_a_worker_with_a_short_chunk_counts_as_searching_and_one_with_a_long_chunk_does_not
    @search_state.leave(Workers::RunQueue::LONG_CHUNK_NS - 1)
    assert_equal [0, nil], [looking, @worker_status.long_since]
    [Workers::RunQueue::LONG_CHUNK_NS, nil].each do |nanoseconds|
      @search_state.leave(nanoseconds)
      assert_equal(-1, looking)
      assert_in_delta Process.clock_gettime(Process::CLOCK_MONOTONIC), @worker_status.long_since / 1e9, 5
      2.times { @search_state.resume }
      assert_equal [0, nil], [looking, @worker_status.long_since], "it comes back once"
    end
  end
end
