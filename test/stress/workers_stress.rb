# frozen_string_literal: true

require "test_helper"
require "support/worker_callables"

# Random dispatches of random items, many of which misbehave, from many threads, with cancellations, deadlines, dead
# callers and dying workers. Whatever happens: every future is complete within its time, every slot has the right result
# or a Failure, and the pool is as good as new.
class WorkersStress < Minitest::Test
  include WorkerCallables

  CRUEL = %i[raise_error raise_exception leave_program throw_tag end_thread end_worker overflow_stack].freeze
  # A dead worker is replaced ever more slowly, so few items do that.
  MILD = CRUEL - [:end_worker]
  # By what an item becomes.
  FATES = {
    raise_error: "KeyError", raise_exception: "WorkerCallables::Misbehave::Deep", leave_program: "SystemExit",
    throw_tag: "UncaughtThrowError", end_thread: "ThreadError", end_worker: "ThreadError",
    overflow_stack: "SystemStackError"
  }.freeze
  OUTSIDE = %w[
    Ratomic::Workers::CancelledError Ratomic::Workers::ItemTimeoutError Ratomic::Workers::DispatchTimeoutError
  ].freeze

  def test_every_slot_is_filled_whatever_happens
    random = seeded
    pool = new_pool
    stress(4).times do
      threads = Array.new(6) do |place|
        Thread.new(Random.new(random.rand(2**32))) do |own|
          caller_of(pool, own, place)
        end
      end
      within(120) { threads.each(&:join) }
    end
    assert_pool_good_as_new(pool)
  ensure
    pool.kill
  end

  def test_every_slot_is_filled_while_the_heap_is_collected_and_compacted
    skip_without_ractors
    random = seeded(1)
    pool = new_pool
    stop = false
    collector = Thread.new { (GC.start || (GC.compact if GC.respond_to?(:compact))) && sleep(0.001) until stop }
    stress(3).times { within(120) { 3.times { |place| caller_of(pool, random, place) } } }
    assert_pool_good_as_new(pool)
  ensure
    stop = true
    collector&.join
    pool&.kill
  end

  def test_streams_keep_their_order_whatever_happens
    random = seeded(2)
    pool = new_pool
    stress(3).times do
      items = Array.new(400) { cruel(random, 0.02) }
      key = [nil, ->(item) { item.hash % 5 }].sample(random: random)
      results = within(120) { pool.stream(items, Misbehave, key: key, max_in_flight: 1 + random.rand(100)).to_a }
      items.zip(results).each_with_index { |(item, result), index| assert_result(item, result, index) }
    end
    assert_pool_good_as_new(pool)
  ensure
    pool.kill
  end

  def test_pools_come_and_go
    skip_without_ractors
    random = seeded(3)
    assert_leaves_nothing(20) do
      stress(15).times do
        pool = new_pool
        futures = Array.new(random.rand(20)) { pool.dispatch_async(Array.new(random.rand(50)) { |i| i }, Double) }
        random.rand < 0.5 ? within(30) { pool.shutdown } : within(30) { pool.kill }
        futures.each { |future| within(5) { assert future.wait(timeout: 4) } }
        assert_raises(Ratomic::Workers::ShutdownError) { pool.dispatch_async([1], Double) }
      end
    end
  end

  private

  def new_pool
    Ratomic::Workers::Pool.new(size: 2, min_batch: 0)
  end

  # One caller's random dispatches.
  def caller_of(pool, random, place)
    10.times do
      items = items_of(random)
      options = options_of(random)
      future = pool.dispatch_async(items, Misbehave, **options)
      meddle(random, future)
      results = future.value(timeout: 60)
      assert_equal items.size, results.size, "caller #{place}"
      items.zip(results).each_with_index { |(item, result), index| assert_result(item, result, index) }
    end
  end

  def cruel(random, share)
    case random.rand
    when 0..(share / 50) then :end_worker
    when 0..share then MILD.sample(random: random)
    else random.rand(1000)
    end
  end

  def items_of(random)
    Array.new(random.rand(120)) { cruel(random, 0.03) }
  end

  def options_of(random)
    options = {}
    options[:timeout] = random.rand * 0.05 if random.rand < 0.2
    options[:item_timeout] = 5 if random.rand < 0.3
    options[:sequential] = true if random.rand < 0.2
    options[:retries] = 1 if random.rand < 0.2
    options[:context] = :trace if random.rand < 0.2
    options
  end

  # Cancels some, and kills threads that wait for it.
  def meddle(random, future)
    future.cancel(interrupt: random.rand < 0.5) if random.rand < 0.15
    return unless random.rand < 0.2

    waiter = Thread.new { future.value }
    random.rand(50).times { Thread.pass }
    waiter.kill.join
  end

  def assert_result(item, result, index)
    if result.is_a?(Ratomic::Workers::Failure)
      assert_equal index, result.index
      assert_includes [FATES[item], *OUTSIDE], result.exception_class, "item #{item.inspect}: #{result}"
    else
      assert_equal item, result
    end
  end
end
