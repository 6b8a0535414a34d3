# frozen_string_literal: true

require "test_helper"
require "stringio"
require "support/worker_callables"

# As {WorkersStress}, of owned results: random dispatches with items that misbehave, with cancellations, deadlines,
# takers that are killed or give up, futures that are dropped, and dying workers. Whatever happens: nobody hangs, every
# slot has its own result or a Failure, one taker at most gets the results, and the pool is as good as new.
class OwnedStress < Minitest::Test
  include WorkerCallables

  CRUEL = %i[raise_error raise_exception leave_program throw_tag end_thread overflow_stack].freeze

  # What cannot be copied, what can, and what misbehaves.
  module Make
    def self.call(item)
      return WorkerCallables::Misbehave.call(item) if item.is_a?(Symbol)

      WorkerCallables::Spin.call(item % 100) if item.odd?
      (item % 3).zero? ? StringIO.new(item.to_s) : [item.to_s]
    end
  end

  %i[ractor thread].each do |backend|
    define_method("test_every_slot_is_filled_whatever_happens_with_#{backend}s") do
      skip_without_ractors if backend == :ractor
      random = seeded(backend.size)
      pool = Ratomic::Workers::Pool.new(size: 2, backend: backend, min_batch: random.rand(2).zero? ? 0 : :auto)
      stress(2).times do
        threads = Array.new(4) do |place|
          Thread.new(Random.new(random.rand(2**32))) { |own| 12.times { dispatch(pool, own, place) } }
        end
        within(120) { threads.each(&:join) }
      end
      assert_pool_good_as_new(pool)
    ensure
      pool&.kill
    end
  end

  def test_pools_come_and_go_with_owned_results_under_way
    skip_without_ractors
    random = seeded(7)
    assert_leaves_nothing(20) do
      stress(8).times do
        pool = Ratomic::Workers::Pool.new(size: 2, min_batch: 0)
        futures = Array.new(random.rand(10)) do
          pool.dispatch_async(Array.new(1 + random.rand(50)) { random.rand(1000) }, Make, results: :owned)
        end
        random.rand < 0.5 ? within(30) { pool.shutdown } : within(30) { pool.kill }
        futures.each { |future| within(10) { assert_equal future.size, future.value(timeout: 8).size } }
      end
    end
  end

  private

  def dispatch(pool, random, place)
    items = Array.new(random.rand(120)) { cruel(random) }
    future = pool.dispatch_async(items, Make, results: :owned, **options_of(random))
    future.cancel(interrupt: random.rand < 0.5) if random.rand < 0.15
    return if random.rand < 0.1 # nobody takes them

    taken = meddle(random, future)
    results = take(random, future, items.size)
  rescue Ratomic::Workers::TakenError
    assert taken, "caller #{place}"
  else
    items.zip(results).each_with_index { |(item, result), index| assert_result(item, result, index) }
  end

  # @return [Boolean] whether somebody else may have taken the results
  def meddle(random, future)
    return false if random.rand < 0.7

    other = Thread.new { future.value }
    random.rand(50).times { Thread.pass }
    other.kill.join
    true
  end

  def take(random, future, size)
    case random.rand(4)
    when 0 then future.each(timeout: 60).to_a
    when 1
      all = Array.new(size)
      future.each_completed(timeout: 60) { |result, index| all[index] = result }
      all
    else future.value(timeout: 60)
    end
  end

  def options_of(random)
    options = {}
    options[:timeout] = random.rand * 0.05 if random.rand < 0.2
    options[:item_timeout] = 5 if random.rand < 0.3
    options[:sequential] = true if random.rand < 0.2
    options[:retries] = 1 if random.rand < 0.2
    options
  end

  def cruel(random)
    case random.rand
    when 0..0.0005 then :end_worker
    when 0..0.02 then CRUEL.sample(random: random)
    else random.rand(1000)
    end
  end

  def assert_result(item, result, index)
    return assert_equal(index, result.index) if result.is_a?(Ratomic::Workers::Failure)

    refute_predicate result, :frozen?
    assert_equal item.to_s, result.is_a?(StringIO) ? result.string : result[0]
  end
end
