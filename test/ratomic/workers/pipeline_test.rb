# frozen_string_literal: true

require "test_helper"

class PipelineTest < Minitest::Test
  Workers = Ratomic::Workers

  module Double
    def self.call(item)
      item * 2
    end
  end

  module Odd
    def self.call(item)
      raise frozen if item == :frozen

      item.odd? ? item : Workers::DROPPED
    end

    def self.frozen
      ArgumentError.new("frozen").freeze
    end
  end

  def test_it_is_a_callable_without_a_pool_as_well
    pipeline = Workers.pipeline(Odd, Double)
    assert_equal [2, Workers::DROPPED, 6], [1, 2, 3].map { |item| pipeline.call(item) }
    assert_equal [2, Workers::DROPPED, 6], pipeline.call_many([1, 2, 3])
    assert_equal [[6, 4, 2], [4, 4, 0]], pipeline.stats.map { |stage| stage.values_at(:entered, :kept, :dropped) }
    assert Ractor.shareable?(pipeline)
    assert_equal "#{Odd.name} > #{Double.name}", pipeline.to_s
    assert_includes pipeline.inspect, pipeline.to_s
  end

  # Returns a Failure for an even number.
  module Refuse
    def self.call(item)
      item.odd? ? item : Workers::Failure.new(nil, "KeyError", "even")
    end
  end

  # A stage that takes runs.
  module DoubleMany
    def self.call(item) = item * 2
    def self.call_many(items) = items.map { |item| item * 2 }
  end

  def test_a_failure_that_a_stage_returns_goes_to_no_later_stage
    [Double, DoubleMany].each do |last|
      pipeline = Workers.pipeline(Refuse, last)
      [[1, 2, 3].map { |item| pipeline.call(item) }, pipeline.call_many([1, 2, 3])].each do |results|
        assert_equal [2, 6], results.values_at(0, 2)
        assert_equal "even", results[1].message
      end
      assert_equal [[6, 4, 2], [4, 4, 0]], pipeline.stats.map { |stage| stage.values_at(:entered, :kept, :failed) }
    end
  end

  def test_an_error_of_a_stage_is_raised_as_it_is
    pipeline = Workers.pipeline(Double, Odd)
    error = assert_raises(NoMethodError) { pipeline.call(nil) }
    assert_equal Double.name, Workers::Failure.from(error, 7).stage
    assert_equal Double.name, pipeline.call_many([nil])[0].stage
    assert_equal 2, pipeline.stats[0][:failed]
  end

  def test_a_frozen_exception_has_no_stage
    pipeline = Workers.pipeline(Odd)
    failure = pipeline.call_many([:frozen])[0]
    assert_equal ["ArgumentError", nil], [failure.exception_class, failure.stage]
  end

  def test_it_needs_stages_that_can_be_called
    assert_raises(ArgumentError) { Workers.pipeline }
    assert_match(/no method `call`/, assert_raises(Workers::CallableError) { Workers.pipeline(Odd, 7) }.message)
  end

  def test_a_stage_that_cannot_be_shared_is_named_at_the_dispatch
    skip_without_ractors
    pool = Workers::Pool.new(size: 1, backend: :ractor)
    mutable = Class.new { def call(item) = item }.new
    error = assert_raises(Workers::CallableError) { pool.dispatch_async([1], Workers.pipeline(Odd, mutable)) }
    assert_match(/@stages\[1\]/, error.message)
  ensure
    pool&.kill
  end
end
