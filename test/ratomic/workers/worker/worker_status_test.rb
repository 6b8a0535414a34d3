# frozen_string_literal: true

require "test_helper"

class WorkerStatusTest < Minitest::Test
  def setup
    @worker_status = Ratomic::Workers::WorkerStatus.new(7)
  end

  def test_between_chunks_it_shows_nothing
    assert_equal [7, 0, nil, 0],
                 [@worker_status.id, @worker_status.ticket, @worker_status.index, @worker_status.busy_nanoseconds]
    assert Ractor.shareable?(@worker_status)
  end

  def test_it_shows_the_chunk_and_the_watched_item_that_run
    @worker_status.begin_chunk(42, 10)
    before = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    @worker_status.begin_item(3)
    assert_equal [42, 10, 3], [@worker_status.ticket, @worker_status.last, @worker_status.index]
    assert_in_delta before, @worker_status.since, 1
    @worker_status.end_item
    assert_nil @worker_status.index
  end

  def test_the_next_chunk_has_no_trace_of_an_item_that_ended_its_thread
    @worker_status.begin_chunk(42, 10)
    @worker_status.begin_item(9)
    @worker_status.end_chunk(0)
    @worker_status.begin_chunk(43, 2)
    assert_equal [43, nil], [@worker_status.ticket, @worker_status.index]
  end

  def test_the_start_of_a_long_chunk_is_known
    assert_nil @worker_status.long_since
    @worker_status.begin_long(5_000)
    assert_equal 5_000, @worker_status.long_since
    assert_equal [1_000, 0], [@worker_status.busy_until(6_000), @worker_status.busy_until(4_000)]
    @worker_status.end_long
    assert_nil @worker_status.long_since
  end

  def test_it_adds_up_how_long_its_worker_was_busy
    2.times do
      @worker_status.begin_chunk(1, nil)
      @worker_status.end_chunk(500)
    end
    assert_equal [1000, 0], [@worker_status.busy_nanoseconds, @worker_status.ticket]
  end

  def test_a_worker_that_was_given_up_stays_so
    refute_predicate @worker_status, :abandoned?
    assert_equal [true, false], [@worker_status.abandon, @worker_status.abandon], "once"
    assert_predicate @worker_status, :abandoned?
    assert @worker_status.end
  end

  def test_a_worker_that_has_ended_is_not_given_up
    refute @worker_status.end
    refute @worker_status.abandon
    refute_predicate @worker_status, :abandoned?
  end
end
