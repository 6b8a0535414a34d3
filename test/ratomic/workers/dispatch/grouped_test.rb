# frozen_string_literal: true

require "test_helper"
require "support/worker_callables"

class GroupedTest < Minitest::Test
  include WorkerCallables

  def setup
    @pool = Ratomic::Workers::Pool.new(size: 1, min_batch: 0)
  end

  def teardown
    @pool.kill
  end

  def test_the_work_of_a_group_is_known_once_the_callable_was_measured
    future = @pool.dispatch_async([1, 2, 3], Double)
    assert_equal [2, 4, 6], within(10) { future.slots }
    eventually { future.work }
    assert_operator future.work, :>, 0
    twice = @pool.dispatch_async([1, 2, 3] * 2, Double)
    within(10) { twice.wait }
    eventually { (twice.work - (future.work * 2)).abs < future.work / 1000 } # both by what is known now
  end

  def test_a_future_that_the_caller_has_run_has_no_measured_work
    assert_nil Ratomic::Workers::ResolvedFuture.new([1].freeze).work
  end
end
