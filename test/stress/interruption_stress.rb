# frozen_string_literal: true

require "test_helper"
require "support/interruption"
require "support/worker_callables"

# Ends the thread that uses a pool, at points that the seed chooses among all where an interrupt can come. Whatever it
# was about to do, no item, worker, place in the queue or thread is lost, and the next caller is served.
class InterruptionStress < Minitest::Test
  include Interruption
  include WorkerCallables

  module Sum
    def self.call(item) = item
    def self.initial = 0
    def self.merge(sum, other) = sum + other
  end

  # None has a callable that is not shareable: such a one can stay in its Ractor when its admission is interrupted.
  USES = {
    value: ->(pool) { pool.dispatch_async([1, 2, 3], Double).value },
    each_completed: ->(pool) { pool.dispatch_async([1, 2, 3], Double).each_completed { |result| result } },
    by_caller: ->(pool) { pool.dispatch_async([1, 2], Double, min_batch: 10, as: :named).value },
    by_waiter: ->(pool) { pool.dispatch_async([1, 2], Double, min_batch: 10, run: :waiter).value },
    cancel: ->(pool) { pool.dispatch_async([1, 2, 3], Double).cancel(interrupt: true) },
    abandon: ->(pool) { pool.dispatch_async([1, 2, 3], Double, cancel_on_abandon: true).value },
    owned: ->(pool) { pool.dispatch_async([1, 2, 3], Double, results: :owned).value },
    moved: ->(pool) { pool.dispatch_async([+"a", +"b"], Double, move: true).value },
    limits: ->(pool) { pool.dispatch_async([1, 2], Double, retries: 1, item_timeout: 60, timeout: 90).value },
    reduce: ->(pool) { pool.reduce([1, 2, 3], Sum) },
    full: ->(pool) { 4.times { pool.dispatch_async([1, 2], Double) } },
    overflow: ->(pool) { 4.times { pool.dispatch_async([1, 2], Double, on_full: :caller_runs) } },
    stream: ->(pool) { pool.stream(1..8, Double, max_in_flight: 4).to_a },
    by_key: ->(pool) { pool.stream(1..8, Double, max_in_flight: 4, key: ->(item) { item % 3 }).to_a }
  }.freeze
  STEP = 40

  %i[ractor thread].each do |backend|
    define_method(:"test_an_interrupted_caller_leaves_nothing_behind_in_a_pool_of_#{backend}s") do
      skip_without_ractors if backend == :ractor
      assert_leaves_nothing(STATE_TIMEOUT_S) do
        pool = Ratomic::Workers::Pool.new(size: 2, min_batch: 0, max_queue: 1, backend: backend)
        within(STATE_TIMEOUT_S) { pool.dispatch_async([1], Double).value }
        stress(1).times { |round| interrupt_all(pool, seeded(round)) }
        assert within(STATE_TIMEOUT_S) { pool.shutdown }
      end
    end
  end

  private

  def interrupt_all(pool, random)
    engine = pool.instance_variable_get(:@cell)[:engine]
    USES.to_a.product(%i[raise kill]) do |(name, use), way|
      interrupt_everywhere(way, -> { use.call(pool) }, first: random.rand(1..STEP), step: STEP) do |point|
        assert_in_order(pool, engine, "#{way}, #{name}: #{point}")
      end
    end
  end

  def assert_in_order(pool, engine, place)
    assert_equal([4, 2], within(STATE_TIMEOUT_S) { pool.dispatch_async([2, 1], Double).value }, place)
    eventually(STATE_TIMEOUT_S, "the end of all items (#{place})") { engine.finished.value == engine.accepted.value }
    eventually(STATE_TIMEOUT_S, "an empty board (#{place})") { engine.board.empty? && engine.homes.empty? }
    eventually(STATE_TIMEOUT_S, "all workers (#{place})") { engine.worker_statuses.size >= pool.size }
    assert_equal 0, pool.stats[:troubles][:count], place
    assert_equal 0, refs_kept, place
  end
end
