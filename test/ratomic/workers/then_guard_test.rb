# frozen_string_literal: true

require "test_helper"
require "support/worker_callables"

class ThenGuardTest < Minitest::Test
  include WorkerCallables

  Workers = Ratomic::Workers

  def setup
    @pool = Workers::Pool.new(size: 2, min_batch: 0)
  end

  def teardown
    @pool.kill
  end

  def test_then_says_what_to_use_instead
    future = @pool.dispatch_async([1], Sleep)
    error = assert_raises(NoMethodError) { future.then { flunk "it has no results yet" } }
    assert_match(/value.*each_completed.*pipeline/, error.message)
    error = assert_raises(NoMethodError) { @pool.reduce_async([1], Sleep, initial: 0) { |a, b| a + b }.then { 1 } }
    assert_match(/call `value`/, error.message)
    assert_equal(future, future.yield_self { |same| same })
  end
end
