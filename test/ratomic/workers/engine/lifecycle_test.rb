# frozen_string_literal: true

require "test_helper"

class LifecycleTest < Minitest::Test
  Lifecycle = Ratomic::Workers::Lifecycle

  def setup
    @caller_runs_cache = Ratomic::Workers::CallerRunsCache.new
    @caller_runs_cache.grant(Comparable, 1, 64, 9)
  end

  def test_it_is_open_until_it_is_closed
    gate = Lifecycle.new(@caller_runs_cache)
    assert_predicate gate, :open?
    gate.close(Lifecycle::CLOSING)
    refute_predicate gate, :open?
    assert Ractor.shareable?(gate)
  end

  def test_nothing_is_taken_from_the_cache_of_callers_once_it_is_closed
    gate = Lifecycle.new(@caller_runs_cache)
    assert @caller_runs_cache.take(Comparable, [1].freeze)
    gate.close(Lifecycle::CLOSING)
    refute @caller_runs_cache.take(Comparable, [1].freeze)
  end

  def test_only_one_of_many_threads_is_the_first_to_end_the_pool
    gate = Lifecycle.new(@caller_runs_cache)
    refute_predicate gate, :ended?
    assert_equal [true, false, false], Array.new(3) { gate.end }
    assert_predicate gate, :ended?
  end

  def test_it_only_ever_closes_further
    gate = Lifecycle.new(@caller_runs_cache)
    gate.close(Lifecycle::CLOSED)
    gate.close(Lifecycle::CLOSING)
    assert_equal Lifecycle::CLOSED, gate.instance_variable_get(:@state).value
  end
end
