# frozen_string_literal: true

require "test_helper"
require "support/stress"

# Worker processes that are killed with -9 at moments of chance: every item is answered once, by its result or a
# Failure, and nothing is left behind. `RATOMIC_STRESS=40` kills a thousand in 200,000 items.
class ProcessStress < Minitest::Test
  include Stress

  # Doubles the item and says which process did it.
  module DoubleHere
    def self.call(item)
      [item * 2, Process.pid]
    end
  end

  ITEMS = 5_000
  KILLS = 25

  def setup
    skip_without_fork
  end

  def test_processes_are_killed_at_any_moment_and_every_item_is_answered_once
    assert_leaves_nothing(10) do
      pool = Ratomic::Workers::Pool.new(size: 3, backend: :process, min_batch: 0)
      kills = 0
      answered = 0
      random = seeded
      within(60 * FACTOR) do
        until answered >= stress(ITEMS) && kills >= stress(KILLS)
          items = Array.new(100 + random.rand(400)) { |n| answered + n }
          future = pool.dispatch_async(items, DoubleHere, retries: random.rand(2))
          kills += kill_some(random, pool)
          answered += check(items, future.value(timeout: 50))
        end
      end
      stats = pool.stats
      assert_equal [answered, answered, 0], stats[:items].values_at(:accepted, :finished, :in_flight)
      assert_equal({ count: 0, last: {} }, stats[:troubles])
      assert pool.shutdown(timeout: 20)
    end
  end

  private

  # @return [Integer] how many
  def kill_some(random, pool)
    return 0 if random.rand(3).zero?

    sleep(random.rand * 0.003)
    pids = worker_pids
    return 0 if pids.empty? || pool.shutdown?

    Process.kill(:KILL, pids.sample(random: random))
    1
  rescue Errno::ESRCH
    0
  end

  # The threads that wait for the end of one are named after it.
  def worker_pids
    Thread.list.filter_map { |thread| thread.name.to_s[/\Aratomic-process-(\d+)\z/, 1]&.to_i }
  end

  # @return [Integer] how many there are
  def check(items, results)
    assert_equal items.size, results.size
    items.zip(results) do |item, result|
      next assert_equal("Ratomic::Workers::WorkerDiedError", result.exception_class) if
        Ratomic::Workers::Failure === result

      assert_equal item * 2, result[0]
    end
    items.size
  end
end
