# frozen_string_literal: true

require "test_helper"
require "support/worker_callables"

class ChunkTest < Minitest::Test
  include WorkerCallables

  Workers = Ratomic::Workers
  Guard = Workers::SupervisedRun::Guard

  # As a worker's main thread that an item has killed.
  module Doomed
    def self.pending_interrupt?
      true
    end
  end

  def chunk(items, callable = Double, first: 0, last: items.size, limit: nil)
    batch = Workers::Batch.new(items.freeze, items.size, items.size, callable, Workers::Options.new, items.size * 64)
    Workers::Chunk.new(batch, callable, first, last, 1, limit)
  end

  def test_it_runs_its_items_and_no_others
    part = chunk((0...10).to_a, first: 3, last: 6)
    assert part.run(Guard)
    assert_equal [6, 8, 10], part.results
    assert_nil part.failed_index
    assert_equal 6, part.next_index
    assert_equal 3 * 64, part.weight
    refute_predicate part, :failed?
  end

  def test_its_results_so_far_are_a_copy_and_both_can_be_frozen_natively
    part = chunk((0...10).to_a)
    part.run(Guard)
    assert_equal part.results, so_far = part.so_far
    assert Workers::Sharing.deep_freeze(so_far)
    refute_predicate part.results, :frozen?
    assert Workers::Sharing.deep_freeze(part.results)
  end

  def test_an_item_that_ends_its_thread_is_at_fault
    part = chunk([1, :end_thread, 3], Misbehave)
    Thread.new { part.run(Guard) }.join
    assert_equal [1], part.results
    assert_equal [1, 2], [part.failed_index, part.next_index]
    assert_equal [3], part.rest(2)
  end

  def test_an_error_that_comes_with_a_result_makes_no_second_one
    results = Class.new(Array) { def <<(result) = super.tap { raise IOError, "late" if result == 2 } }.new
    part = chunk([1, 2, 3])
    part.instance_variable_set(:@results, results)
    assert_raises(IOError) { part.run(Guard) }
    assert_equal [2], part.results
    assert_equal 1, part.failed_index
  end

  def test_an_item_that_interrupts_the_guard_is_to_blame
    part = chunk([1, 2, 3])
    refute part.run(Doomed)
    refute_predicate part, :fatal?
    part.blame_last
    assert_equal [[], 0, 1], [part.results, part.failed_index, part.next_index]
    assert_predicate part, :fatal?
  end

  def test_a_chunk_that_takes_too_long_stops_early
    part = chunk([0.02] * 10, Sleep, limit: 1_000_000)
    assert part.run(Guard, Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond))
    assert_predicate part, :cut?
    assert_equal [0.02], part.results
    assert_equal 1, part.next_index
    assert_nil part.failed_index
  end

  def test_a_watched_chunk_that_takes_too_long_stops_early_too
    part = chunk([0.02] * 10, Sleep, limit: 1_000_000)
    started = Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)
    assert part.run_watched(Guard, Workers::WorkerStatus.new(1), Thread::Mutex.new, started)
    assert_predicate part, :cut?
    assert_equal [0.02], part.results
  end

  def test_no_further_item_runs_when_the_dispatch_is_over
    part = nil
    part = chunk([1, 2, 3, 4], ->(item) { item.tap { part.batch.stop(Workers::PoolFailures::KILLED) if item == 2 } })
    assert part.run(Guard)
    assert_equal [1, 2], part.results
  end

  def test_moved_items_come_in_a_parcel
    part = chunk([nil] * 10, first: 4, last: 6).unpack([+"a", +"b"])
    assert part.run(Guard)
    assert_equal %w[aa bb], part.results
  end
end
