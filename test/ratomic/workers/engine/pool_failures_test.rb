# frozen_string_literal: true

require "test_helper"

class PoolFailuresTest < Minitest::Test
  Workers = Ratomic::Workers
  PoolFailures = Workers::PoolFailures

  module Job
    def self.call(item)
      item
    end
  end

  def batch(**options)
    Workers::Batch.new([1, 2, 3].freeze, 3, 3, Job, Workers::Options.new(options), 192)
  end

  def test_an_item_that_ended_its_worker_is_named_with_the_place_of_its_code
    failure = PoolFailures.died(batch.target, 2, :worker)
    assert_equal [2, "ThreadError"], [failure.index, failure.exception_class]
    assert_match(/pool_failures_test\.rb:\d+/, failure.backtrace.first)
    assert_equal "UncaughtThrowError", PoolFailures.died(batch.target, 2, :throw).exception_class
  end

  def test_the_failure_of_an_item_that_ran_too_long_names_the_limit
    assert_match(/longer than 0.5 s \(item_timeout: 0.5\)/, PoolFailures.overdue(batch(item_timeout: 0.5), 1).message)
  end

  def test_the_failure_of_an_item_that_never_ran_says_how_far_the_dispatch_was
    all = batch(timeout: 2)
    all.completion.file(0, [1].freeze)
    assert_match(/2 s after the dispatch \(timeout:\), when 1 of 3 items were done/, PoolFailures.expired(all).message)
    assert_equal Workers::CancelledError.name, PoolFailures.cancelled(all).exception_class
    assert_nil PoolFailures.cancelled(all).index
  end
end
