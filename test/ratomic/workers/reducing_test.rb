# frozen_string_literal: true

require "test_helper"
require "support/worker_pools"

class ReducingTest < Minitest::Test
  include WorkerPools

  # Sums in Arrays, of which only one at a time may be changed.
  module Collect
    def self.initial
      []
    end

    def self.call(item)
      [item]
    end

    def self.merge(sum, other)
      sum.concat(other)
    end
  end

  def test_it_may_be_asked_again_and_the_sum_is_the_callers_own
    reducing = new_pool.reduce_async(0...500, Collect)
    assert reducing.wait(timeout: 10)
    first = reducing.value(timeout: 0).sum
    assert_equal (0...500).to_a, first
    first << :changed
    assert_equal (0...500).to_a, reducing.value!(timeout: 0).sum
    assert_equal [true, false, 500], [reducing.ready?, reducing.cancelled?, reducing.size]
    assert_match(/500 of 500/, reducing.inspect)
  end

  def test_another_ractor_may_have_it
    skip_without_ractors
    reducing = new_pool.reduce_async(0...10, Collect)
    assert Ractor.shareable?(reducing)
    assert_equal 10, Ractor.new(reducing) { |received| received.value.sum.size }.value
  end

  def test_the_default_pool_reduces_too
    assert_equal [1, 2], Ratomic::Workers.reduce([1, 2], Collect).sum
    assert_equal [1, 2], Ratomic::Workers.reduce_async([1, 2], Collect).value.sum
  ensure
    Ratomic::Workers.shutdown
  end
end
