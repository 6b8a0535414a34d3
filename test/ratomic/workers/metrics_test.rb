# frozen_string_literal: true

require "test_helper"

class MetricsTest < Minitest::Test
  Metrics = Ratomic::Workers::Metrics

  def setup
    @metrics = Metrics.new
  end

  # The bucket of a dispatch is the first whose bound is not below its time.
  def test_a_dispatch_is_in_the_bucket_of_its_latency
    [1, 16, 17, 64, 65, 1_000, 60_000_000, 10**9].each do |microseconds|
      before = @metrics.latency
      @metrics.complete(microseconds * 1000)
      bound = @metrics.latency.find { |key, count| count != before[key] }[0]
      expected = (Metrics::BOUNDS + [Float::INFINITY]).find { |limit| microseconds <= (limit * 1_000_000) + 0.1 }
      assert_equal expected, bound, "#{microseconds} us"
    end
    assert_in_delta 1060.001163, @metrics.latency_sum, 0.001
  end

  def test_failures_are_counted_by_class
    failure = Ratomic::Workers::Failure.new(0, "KeyError", "no")
    @metrics.count_failures([1, failure, failure])
    assert_equal({ "KeyError" => 2 }, @metrics.failures.to_h)
  end

  def test_trouble_is_kept_up_to_a_limit_and_counted_beyond
    30.times { |i| @metrics.trouble(RuntimeError.new("trouble #{i}")) }
    assert_equal 30, @metrics.counts[:troubles]
    assert_equal 20, @metrics.trouble_log.size
  end

  def test_it_is_shareable
    assert Ractor.shareable?(@metrics)
  end
end
