# frozen_string_literal: true

require "test_helper"
require "support/worker_callables"

# Random dispatches to a pool with `fallback:`, of items that are good, that fail in a Ractor and that fail anywhere,
# with cancellations, deadlines and waiters that are killed, while the pool goes on, is shut down or killed, and while
# the process is forked. Whatever happens: nobody hangs, every slot has its own result or a Failure that is not one of
# running in a Ractor, and nothing is left behind.
class FallbackStress < Minitest::Test
  include WorkerCallables

  Workers = Ratomic::Workers
  Failure = Workers::Failure
  CRUEL = %i[raise_error raise_exception end_thread throw_tag end_worker].freeze
  OF_RACTORS = %w[Ractor::IsolationError Ractor::UnsafeError].freeze

  # A callable of its own for each dispatch that makes one. A multiple of the number cannot be read in a Ractor.
  class Picky
    TABLE = Hash.new { |_, item| item * 3 } # cannot be shared

    def initialize(every)
      @every = every
      Ractor.make_shareable(self)
    end

    def call(item)
      return Misbehave.call(item) if item.is_a?(Symbol)

      (item % @every).zero? ? TABLE.default_proc.call(TABLE, item) : item * 3
    end
  end

  # The same, in sums.
  class Summing < Picky
    def initial = 0
    def merge(sum, other) = sum + other
  end

  def setup
    skip_without_ractors
  end

  def skip_if_forked_children_end(fallback)
    skip_on_development_ruby("a child that was forked beside Ractors ends in a collection") if fallback == :process
  end

  %i[thread process].each do |fallback|
    define_method("test_every_slot_is_filled_whatever_happens_beside_a_#{fallback}") do
      skip_if_forked_children_end(fallback)
      random = seeded(fallback.size)
      pool = new_pool(fallback)
      stress(2).times do
        threads = Array.new(4) { Thread.new(Random.new(random.rand(2**32))) { |own| 10.times { dispatch(pool, own) } } }
        within(120) { threads.each(&:join) }
      end
      eventually(30) { pool.stats[:items][:in_flight].zero? }
      assert within(60) { pool.shutdown(timeout: 50) }
      assert_empty(pool.stats[:failures].keys & OF_RACTORS)
    ensure
      pool&.kill
    end

    define_method("test_pools_come_and_go_beside_a_#{fallback}") do
      skip_if_forked_children_end(fallback)
      random = seeded(fallback.size + 100)
      assert_leaves_nothing(30) { stress(fallback == :thread ? 10 : 5).times { come_and_go(fallback, random) } }
    end
  end

  def test_a_fork_in_the_midst
    skip_on_development_ruby("a child that was forked beside Ractors ends in a collection")
    out = ruby!(<<~RUBY, stress(6).to_s, Stress.seed.to_s, seconds: 120 * Stress::FACTOR)
      require "ratomic"
      module Picky
        TABLE = Hash.new { |_, item| item * 3 }
        def self.call(item) = item.even? ? TABLE.default_proc.call(TABLE, item) : item * 3
      end
      random = Random.new(Integer(ARGV[1]))
      children = Array.new(Integer(ARGV[0])) do |turn|
        pool = Ratomic::Workers::Pool.new(size: 2, min_batch: 0, fallback: turn.odd? ? :process : :thread)
        futures = Array.new(random.rand(8)) { pool.dispatch_async((0...20).to_a, Picky) }
        random.rand(2000).times { Thread.pass }
        child = fork do
          known = futures.map { |future| future.value(timeout: 20).size }
          own = pool.dispatch_async((0...20).to_a, Picky).value(timeout: 30)
          exit!(known.all?(20) && own == (0...20).map { |item| item * 3 } ? 0 : 1)
        end
        good = futures.all? { |future| future.value(timeout: 30) == (0...20).map { |item| item * 3 } }
        pool.kill if random.rand(2).zero?
        [good, child]
      end
      p children.map { |good, child| good && Process.wait2(child)[1].success? }.uniq
    RUBY
    assert_equal "[true]\n", out
  end

  private

  def new_pool(fallback)
    Workers::Pool.new(size: 2, fallback: fallback, min_batch: 0)
  end

  def come_and_go(fallback, random)
    pool = new_pool(fallback)
    futures = Array.new(random.rand(12)) do
      items = Array.new(1 + random.rand(40)) { random.rand(1000) }
      [items, pool.dispatch_async(items, Picky.new(2 + random.rand(4)), **options_of(random))]
    end
    random.rand(500).times { Thread.pass }
    ended = random.rand < 0.5 ? within(60) { pool.shutdown(timeout: 50) } : within(30) { pool.kill }
    assert ended
    futures.each { |items, future| assert_results(items, within(20) { future.value(timeout: 15) }) }
  end

  def dispatch(pool, random)
    items = Array.new(random.rand(80)) { random.rand < 0.02 ? CRUEL.sample(random: random) : random.rand(1000) }
    every = [2, 5, 50].sample(random: random)
    return sum(pool, items.grep(Integer), every) if random.rand < 0.2

    callable = random.rand < 0.5 ? Picky.new(every) : unshareable(every)
    future = pool.dispatch_async(items, callable, **options_of(random))
    future.cancel(interrupt: random.rand < 0.5) if random.rand < 0.15
    waiter = Thread.new { future.wait }
    random.rand(30).times { Thread.pass }
    waiter.kill.join
    assert_results(items, within(60) { future.value(timeout: 50) })
  end

  def sum(pool, items, every)
    reduction = within(60) { pool.reduce(items, Summing.new(every)) }
    assert_equal [items.sum * 3, items.size], [reduction.sum, reduction.count]
  end

  def unshareable(every)
    picky = Picky.new(every)
    seen = []
    ->(item) { (seen << item) && picky.call(item) }
  end

  def options_of(random)
    { results: random.rand < 0.3 ? :owned : :frozen, sequential: random.rand < 0.3,
      item_timeout: (random.rand < 0.2 ? 30 : nil), timeout: (random.rand < 0.1 ? 0.02 : nil),
      retries: random.rand(2), as: (random.rand < 0.3 ? "name #{random.rand(9)}" : nil) }
  end

  def assert_results(items, results)
    assert_equal items.size, results.size
    items.zip(results).each_with_index do |(item, result), index|
      next assert_equal(item * 3, result) unless Failure === result

      assert_equal index, result.index
      refute_includes OF_RACTORS, result.exception_class
    end
  end
end
