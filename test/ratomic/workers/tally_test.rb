# frozen_string_literal: true

require "test_helper"

class TallyTest < Minitest::Test
  BOUNDS = Ratomic::Workers::Metrics::BOUNDS

  def setup
    @tally = Ratomic::Workers::Tally.new
  end

  # The bucket of a dispatch is the first whose bound is not below its time.
  def test_a_dispatch_is_in_the_bucket_of_its_latency
    [0, 1, 16, 17, 64, 65, 1_000, 60_000_000, 10**9].each do |microseconds|
      before = @tally.buckets
      @tally.record(microseconds * 1000)
      place = @tally.buckets.zip(before).index { |now, earlier| now != earlier }
      expected = BOUNDS.index { |bound| microseconds <= (bound * 1_000_000) + 0.1 } || BOUNDS.size
      assert_equal expected, place, "#{microseconds} us"
    end
    assert_equal 1_060_001_163, @tally.microseconds
    assert_equal [9, 0], [@tally.buckets.sum, @tally.by_caller]
  end

  def test_what_a_caller_has_run_is_counted_and_timed
    started = @tally.start
    assert_operator @tally.settle(started, [1, 2, 3]), :<, 10 * 10**9
    assert_operator @tally.settle(0, []), :>=, started
    assert_equal [2, 3, 2], [@tally.by_caller, @tally.items_by_caller, @tally.buckets.sum]
  end

  def test_plain_results_are_frozen_where_they_stand
    results = [+"text", [+"nested"], { "key" => [] }]
    text = results[0]
    assert_kind_of Integer, @tally.settle(@tally.start, results)
    assert Ractor.shareable?(results)
    assert_same text, results[0]
  end

  def test_results_that_are_not_plain_are_counted_and_left_to_others
    results = [$stdout]
    assert_nil @tally.settle(@tally.start, results)
    refute_predicate $stdout, :frozen?
    assert_equal 1, @tally.by_caller
  end

  def test_threads_lose_no_count
    Array.new(4) { Thread.new { 1000.times { @tally.settle(@tally.start, [1]) } } }.each(&:join)
    assert_equal [4000, 4000], [@tally.by_caller, @tally.items_by_caller]
  end

  def test_it_is_shareable
    assert Ractor.shareable?(@tally)
    assert_raises(TypeError) { @tally.dup }
  end
end
