# frozen_string_literal: true

require "test_helper"

class ErrorsTest < Minitest::Test
  Workers = Ratomic::Workers

  def setup
    @pool = Workers::Pool.new(size: 1, min_batch: 0)
  end

  def teardown
    @pool.kill
  end

  # A callable that sleeps.
  module Remainder
    def self.call(seconds)
      sleep(seconds)
    end
  end

  def test_the_time_of_a_wait_of_a_dispatch_and_of_an_item_have_three_names_in_one_family
    future = @pool.dispatch_async([30], Remainder)
    wait = assert_raises(Ratomic::TimeoutError) { future.value(timeout: 0.05) }
    future.cancel(interrupt: true)
    dispatch, item = %i[timeout item_timeout].map do |option|
      future = @pool.dispatch_async([30], Remainder, option => 0.1)
      assert_raises(Ratomic::TimeoutError) { future.value!(timeout: 9) }
    end
    errors = [wait, dispatch, item]
    assert_equal [Workers::WaitTimeoutError, Workers::DispatchTimeoutError, Workers::ItemTimeoutError],
                 errors.map(&:class)
    [Workers::TimeoutError, Workers::Error, Ratomic::Error].product(errors) { |of, error| assert_kind_of of, error }
    assert_equal [0, 1], [wait.completed, wait.total]
    assert_equal [0, "Ratomic::Workers::ItemTimeoutError"], [item.failure.index, item.failure.exception_class]
    assert_match(/no result 0.1 s after/, dispatch.message)
  end

  def test_each_stream_too_waits_with_the_same_name
    future = @pool.dispatch_async([30], Remainder)
    %i[each each_completed].each do |name|
      assert_raises(Ratomic::TimeoutError) { future.public_send(name, timeout: 0.02) { nil } }
    end
  ensure
    future.cancel(interrupt: true)
  end

  def test_all_that_a_pool_says_is_caught_by_the_name_of_the_pool_and_of_ratomic
    of_workers = Workers.constants.map { |name| Workers.const_get(name) }
                        .select { |found| found.is_a?(Class) && found <= StandardError }
    assert_operator of_workers.size, :>=, 9
    of_workers.each do |error|
      assert_operator error, :<=, Ratomic::Error
      assert_operator error, :<=, Workers::Error
    end
    assert_raises(Workers::Error) { @pool.dispatch_async([1], Object.new.freeze) }
  end
end
