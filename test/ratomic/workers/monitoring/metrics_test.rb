# frozen_string_literal: true

require "test_helper"

class MetricsTest < Minitest::Test
  Metrics = Ratomic::Workers::Metrics

  def setup
    @metrics = Metrics.new
  end

  def test_latency_is_in_seconds_by_bound
    [1, 17, 10**9].each { |microseconds| @metrics.tally.record(microseconds * 1000) }
    latency = @metrics.latency
    assert_equal Metrics::BOUNDS + [Float::INFINITY], latency.keys
    assert_equal [*Metrics::BOUNDS.first(2), Float::INFINITY], latency.select { |_, count| count == 1 }.keys
    assert_in_delta 1000.000018, @metrics.latency_sum, 0.000001
  end

  def test_items_that_callers_run_are_counted
    @metrics.tally.record_and_freeze(@metrics.tally.start, [1, 2], true)
    assert_equal({ by_caller: 1, by_caller_items: 2 }, @metrics.counts.slice(:by_caller, :by_caller_items))
  end

  def test_failures_are_counted_by_class
    failure = Ratomic::Workers::Failure.new(0, "KeyError", "no")
    @metrics.count_failure(failure)
    @metrics.note_failure(failure, "Parse", 7, nil)
    assert_equal({ "KeyError" => 2 }, @metrics.failures.to_h)
  end

  def test_classes_without_a_name_are_counted_together
    failures = Array.new(3) { Ratomic::Workers::Failure.from(Class.new(KeyError).new, 0) }
    failures.each { |failure| @metrics.note_failure(failure, "Parse", 7, nil) }
    @metrics.count_failure(failures[0], -1)
    assert_equal({ "(anonymous)" => 2 }, @metrics.failures.to_h)
    assert_equal({ "(anonymous)" => 3 }, @metrics.last_failures.to_h.transform_values(&:size))
  end

  def test_an_internal_error_whose_message_raises_is_kept_too
    @metrics.trouble(Class.new(StandardError) { def message = raise(NotImplementedError) }.new, "a hook")
    assert_match(/cannot be read: NotImplementedError/, @metrics.trouble_log.to_h.keys[0])
  end

  def test_internal_errors_are_kept_up_to_a_limit_and_counted_beyond
    30.times { |i| @metrics.trouble(RuntimeError.new("trouble #{i}"), "a hook") }
    assert_equal 30, @metrics.counts[:troubles]
    assert_equal 20, @metrics.trouble_log.size
  end

  def test_it_is_shareable
    assert Ractor.shareable?(@metrics)
  end
end
