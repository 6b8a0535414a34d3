# frozen_string_literal: true

require "test_helper"

class PulseTest < Minitest::Test
  def setup
    @pulse = Ratomic::Workers::Pulse.new(7)
  end

  def test_between_chunks_it_shows_nothing
    assert_equal [7, 0, nil, 0], [@pulse.id, @pulse.ticket, @pulse.index, @pulse.busy_nanoseconds]
    assert Ractor.shareable?(@pulse)
  end

  def test_it_shows_the_chunk_and_the_watched_item_that_run
    @pulse.begin_chunk(42, 10)
    before = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    @pulse.begin_item(3)
    assert_equal [42, 10, 3], [@pulse.ticket, @pulse.last, @pulse.index]
    assert_in_delta before, @pulse.since, 1
    @pulse.end_item
    assert_nil @pulse.index
  end

  def test_of_an_item_that_has_ended_its_thread_nothing_is_left_in_the_next_chunk
    @pulse.begin_chunk(42, 10)
    @pulse.begin_item(9)
    @pulse.end_chunk(0)
    @pulse.begin_chunk(43, 2)
    assert_equal [43, nil], [@pulse.ticket, @pulse.index]
  end

  def test_of_a_chunk_that_may_be_long_it_knows_when_it_began
    assert_nil @pulse.long_since
    @pulse.begin_long(5_000)
    assert_equal 5_000, @pulse.long_since
    assert_equal [1_000, 0], [@pulse.busy_until(6_000), @pulse.busy_until(4_000)]
    @pulse.end_long
    assert_nil @pulse.long_since
  end

  def test_it_adds_up_how_long_its_worker_was_busy
    2.times do
      @pulse.begin_chunk(1, nil)
      @pulse.end_chunk(500)
    end
    assert_equal [1000, 0], [@pulse.busy_nanoseconds, @pulse.ticket]
  end

  def test_a_worker_that_was_given_up_stays_so
    refute_predicate @pulse, :abandoned?
    assert_equal [true, false], [@pulse.abandon, @pulse.abandon], "once"
    assert_predicate @pulse, :abandoned?
    assert @pulse.end
  end

  def test_a_worker_that_has_ended_is_not_given_up
    refute @pulse.end
    refute @pulse.abandon
    refute_predicate @pulse, :abandoned?
  end
end
