# frozen_string_literal: true

require "test_helper"
require "support/learnt_costs"

# Dispatches that wait for the thread which asks for their results, with all that can happen meanwhile: nobody asks,
# several ask, who asks is killed or has a time limit, they are cancelled, the pool ends. Whatever happens, no item runs
# twice, each has its result or a Failure, and the pool ends with all of them.
class DeferralStress < Minitest::Test
  include LearntCosts

  Workers = Ratomic::Workers
  WAYS = %i[value owned timed each drop cancel kill_waiter time_out several].freeze
  OUTSIDE = %w[ThreadError Timeout::ExitException Timeout::Error Ratomic::Workers::CancelledError].freeze

  # Counts how often each item runs.
  class Once
    attr_reader :ran

    def initialize
      @ran = Ratomic::Map.new
      Ractor.make_shareable(self)
    end

    def call(item)
      @ran.increment(item)
      raise KeyError, "no such key" if (item % 10).zero?

      item
    end
  end

  def setup
    skip_without_ractors
    @random = seeded
    @callable = Once.new
    @next = 0
  end

  def test_no_item_runs_twice_whatever_happens
    stress(6).times do
      @pool = Workers::Pool.new(size: 2).start
      within(120) { 40.times { dispatch(WAYS.sample(random: @random)) } }
      assert within(60) { @pool.shutdown(timeout: 50) }
      accepted, finished = @pool.stats[:items].values_at(:accepted, :finished)
      assert_equal accepted, finished
      assert_empty(@callable.ran.select { |_, times| times > 1 })
    end
    assert_operator @deferred, :positive?
  ensure
    @pool&.kill
  end

  private

  def dispatch(way)
    items = Array.new(2 + @random.rand(30)) { @next += 1 }.freeze
    pretend(Workers::Callable.key(@callable), 400_000)
    future = @pool.dispatch_async(items, @callable, results: way == :owned ? :owned : :frozen)
    batch = future.instance_variable_get(:@batch)
    @deferred = (@deferred || 0) + 1 if batch&.deferred?
    check(items, send(way, future), way)
  end

  def value(future)
    future.value
  end
  alias owned value

  def timed(future)
    future.value(timeout: 60)
  end

  def each(future)
    future.each.to_a
  end

  def drop(_future); end

  def cancel(future)
    other = Thread.new { future.cancel(interrupt: @random.rand < 0.5) }
    results = future.value
    other.join
    results
  end

  def kill_waiter(future)
    waiter = Thread.new { future.value }
    @random.rand(30).times { Thread.pass }
    waiter.kill.join
    future.value
  end

  def time_out(future)
    Timeout.timeout(@random.rand * 0.002) { future.value }
  rescue Timeout::Error
    future.value
  end

  def several(future)
    Array.new(3) { Thread.new { future.value } }.map(&:value).last
  end

  def check(items, results, way)
    return unless results

    assert_equal items.size, results.size, way
    items.zip(results).each_with_index do |(item, result), index|
      next assert_equal(item, result, way) unless Workers::Failure === result

      assert_equal index, result.index, way
      assert_includes [*OUTSIDE, ("KeyError" if (item % 10).zero?)], result.exception_class, "#{way}: #{result}"
    end
  end
end
