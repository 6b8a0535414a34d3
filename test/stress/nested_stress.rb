# frozen_string_literal: true

require "test_helper"
require "support/worker_callables"
require "support/worker_pools"

# Pools of Ractors whose items dispatch to each other: helper threads start and end in the workers' Ractors all the
# time, while other Ractors wake them.
class NestedStress < Minitest::Test
  include WorkerCallables
  include WorkerPools

  def test_threads_that_end_while_others_of_their_ractor_are_woken
    skip_without_ractors
    stress(4).times do |round|
      depths = Array.new(2) { seeded(round).rand(4..6) }
      pools = Array.new(3) { new_pool(size: 1) }
      3.times do
        futures = pools.map { |pool| pool.dispatch_async(depths, Descend.new(*pools)) }
        assert_equal [depths.map { |depth| 2**depth }] * 3, futures.map { |future| future.value(timeout: 60) }
      end
      pools.each(&:shutdown)
    end
  end
end
