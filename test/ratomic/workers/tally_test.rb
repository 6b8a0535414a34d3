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

  def test_a_dispatch_that_a_caller_has_run_is_counted_and_timed
    started = @tally.start
    assert_operator @tally.record_and_freeze(started, [1, 2, 3], true), :<, 10 * 10**9
    assert_operator @tally.record_and_freeze(0, [], true), :>=, started
    assert_equal [2, 3, 2], [@tally.by_caller, @tally.items_by_caller, @tally.buckets.sum]
  end

  def test_plain_results_become_frozen_copies_and_shareable_ones_stay
    frozen = ["a".dup.freeze].freeze
    given = [+"text", [+"nested", frozen], { "key" => [], b: "ä".encode("ISO-8859-1") }, frozen, 1.5, nil, [+"", [[]]]]
    results = given.dup
    assert_kind_of Integer, @tally.record_and_freeze(@tally.start, results, false)
    assert Ractor.shareable?(results)
    assert_equal given, results
    assert_equal Encoding::ISO_8859_1, results[2][:b].encoding
    assert_same frozen, results[3]
    assert_same frozen, results[1][1]
    refute [*given.first(3), given[1][0], given[2]["key"], given[2][:b], given[6][1][0]].any?(&:frozen?)
  end

  def test_a_hash_that_compares_by_identity_stays_one
    key = "key".dup.freeze
    results = [{}.compare_by_identity.merge!(key => [])]
    assert_kind_of Integer, @tally.record_and_freeze(@tally.start, results, false)
    assert_equal [[], nil], [results[0][key], results[0][+"key"]]
    assert_predicate results[0], :compare_by_identity?
  end

  # A copy would lose it, or never end.
  def test_results_that_are_not_plain_data_are_not_frozen
    noted = +"text"
    noted.instance_variable_set(:@note, 1)
    ring = []
    ring << ring
    wide = 30.times.inject([]) { |inner, _| [inner, inner] }
    [noted, ring, wide, Hash.new(5), Hash.new { 1 }, Class.new(Array).new,
     Struct.new(:a).new(1), { [+"key"] => 1 }].each do |odd|
      given = [+"a", [odd]]
      assert_nil @tally.record_and_freeze(@tally.start, given, false), odd.class.name
      refute_predicate odd, :frozen?
    end
  end

  def test_results_that_are_not_plain_data_are_counted
    results = [$stdout]
    assert_nil @tally.record_and_freeze(@tally.start, results, false)
    refute_predicate $stdout, :frozen?
    assert_equal 1, @tally.by_caller
  end

  def test_threads_lose_no_count
    Array.new(4) { Thread.new { 1000.times { @tally.record_and_freeze(@tally.start, [1], true) } } }.each(&:join)
    assert_equal [4000, 4000], [@tally.by_caller, @tally.items_by_caller]
  end

  def test_it_is_shareable
    assert Ractor.shareable?(@tally)
    assert_raises(TypeError) { @tally.dup }
  end
end
