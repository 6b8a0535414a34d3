# frozen_string_literal: true

require "test_helper"

class CostsTest < Minitest::Test
  def test_nothing_is_learnt_from_a_dispatch_without_items
    costs = Ratomic::Workers::Costs.new(0.5)
    costs.learn("empty", 0, 500, 0)
    costs.route_chooser.learn_caller("empty", 500, 0)
    assert_empty costs.to_h
    assert costs.route_chooser.caller?("empty")
  end

  def setup
    @costs = Ratomic::Workers::Costs.new(0.5)
  end

  def test_the_cost_follows_the_measurements
    assert_nil @costs.of(:key)
    @costs.learn(:key, 64, 6399, 1)
    assert_in_delta 100, @costs.of(:key), 0.01
    40.times { @costs.learn(:key, 64, 64_000, 1) }
    assert_in_delta 1000, @costs.of(:key), 2
    assert_equal ["key"], @costs.to_h.keys
  end

  def test_callers_may_run_a_callable_that_was_quick_many_times_in_a_row
    (Ratomic::Workers::Costs::MIN_STABLE_RUNS - 1).times { @costs.learn(:key, 1, 10, 1) }
    assert_nil @costs.small(:key)
    @costs.learn(:key, 1, 10, 1)
    assert @costs.small(:key)
    @costs.learn(:key, 1, Ratomic::Workers::Costs::MAX_CALLER_ITEM_NS + 1, 1)
    assert_nil @costs.small(:key)
  end

  def test_callers_no_longer_run_a_callable_whose_items_take_far_longer_than_estimated
    20.times { @costs.learn(:key, 100, 1000, 50) }
    assert @costs.small(:key)
    @costs.learn(:key, 100, Ratomic::Workers::Costs::MAX_CALLER_ITEM_NS, 50)
    assert @costs.small(:key), "so much a busy machine may do to anybody"
    20.times { @costs.learn(:key, 100, 1000, 50) }
    2.times { @costs.learn(:key, 100, Ratomic::Workers::Costs::MAX_CALLER_ITEM_NS * 2, 50) }
    assert_nil @costs.small(:key)
  end

  def test_one_slow_chunk_among_many_quick_ones_is_forgiven_and_a_second_one_is_not
    slow = Ratomic::Workers::Costs::MAX_CALLER_ITEM_NS * 2
    100.times { @costs.learn(:key, 100, 1000, 1) }
    small = @costs.small(:key)
    @costs.learn(:key, 100, slow, 1)
    assert_equal small, @costs.small(:key), "a long stop of the machine is no cost of the callable"
    (few = Ratomic::Workers::Costs::MIN_STABLE_RUNS - 1).times { @costs.learn(:key, 100, 1000, 1) }
    @costs.learn(:key, 100, slow, 1)
    few.times { @costs.learn(:key, 100, 1000, 1) }
    assert_nil @costs.small(:key)
    @costs.learn(:key, 100, 1000, 1)
    assert @costs.small(:key)
  end

  def test_the_second_slow_chunk_in_a_row_is_learnt_from_in_full
    100.times { @costs.learn(:key, 1, 1000, 1) }
    2.times { @costs.learn(:key, 1, 100_000_000, 1) }
    assert_operator @costs.of(:key), :>, 20_000_000
  end

  def test_callables_with_the_same_name_are_numbered
    a, b = Array.new(2) { Class.new { def self.name = "x" }.new }
    [a, b].each_with_index do |callable, n|
      key = Ratomic::Workers::Callable.key(callable)
      @costs.introduce(key, Comparable)
      @costs.learn(key, 1, 10 + n, 1)
    end
    assert_equal ["Comparable", "Comparable (2)"], @costs.to_h.keys
  end

  def test_a_caller_unsafe_callable_is_not_small
    20.times do
      @costs.learn(:key, 1, 10, 1)
      @costs.learn(:other, 1, 10, 1)
    end
    assert @costs.small(:key)
    @costs.mark_caller_unsafe(:key)
    assert @costs.caller_unsafe?(:key)
    assert_nil @costs.small(:key)
    assert @costs.of(:key)
    assert @costs.small(:other)
  end

  def test_marks_are_limited_in_number_and_a_forgotten_callable_is_learnt_anew
    20.times { @costs.learn(:key, 1, 10, 1) }
    @costs.mark_caller_unsafe(:key)
    20.times { @costs.learn(:key, 1, 10, 1) }
    most = Ratomic::Workers::BoundedCache::MAX_KEYS
    most.times { |n| @costs.mark_caller_unsafe(n) }
    assert_operator @costs.instance_variable_get(:@caller_unsafe).to_h.size, :<=, most
    refute @costs.caller_unsafe?(:key)
    @costs.learn(:key, 1, 10, 1)
    assert_nil @costs.small(:key)
  end

  def test_a_small_dispatch_ends_before_a_worker_would_be_awake
    20.times { @costs.learn(:key, 64, 6399, 1) }
    assert_equal @costs.waking / 0.5 / 100, @costs.small(:key)
    poor = Ratomic::Workers::Costs.new(0.0)
    20.times { poor.learn(:key, 64, 6399, 1) }
    assert_equal @costs.small(:key), poor.small(:key), "one worker is not there to save time"
  end

  def test_the_time_to_wake_a_worker_is_learnt_within_limits
    200.times { @costs.learn_waking(10_000) }
    assert_in_delta 20_000, @costs.waking, 100
    500.times { @costs.learn_waking(10**12) }
    assert_operator @costs.waking, :<=, 2 * Ratomic::Workers::Costs::WAKE_LATENCY_RANGE_NS.end
  end
end
