# frozen_string_literal: true

require "test_helper"
require "support/refusal"
require "support/worker_callables"

# Refuses some of the threads and Ractors that a pool asks for, from one on that the seed chooses: at its start, for a
# worker in the place of another, for a timer, for a stream. What was dispatched is done all the same, or it raised, and
# the pool has all its workers in the end.
class RefusalStress < Minitest::Test
  include Refusal
  include WorkerCallables

  # What is done, and its results; :died for a Failure that is expected.
  USES = {
    value: [->(pool) { pool.dispatch_async([1, 2, 3], Double).value(timeout: 60) }, [2, 4, 6]],
    limits: [->(pool) { pool.dispatch_async([1, 2], Double, item_timeout: 60, timeout: 90).value }, [2, 4]],
    died: [->(pool) { pool.dispatch_async([1, :end_thread, 3], Misbehave).value(timeout: 60) }, [1, :died, 3]],
    worker_died: [->(pool) { pool.dispatch_async([1, :end_worker, 3], Misbehave).value(timeout: 60) }, [1, :died, 3]],
    nested: [->(pool) { pool.dispatch_async([2, 2], Descend.new(pool)).value(timeout: 60) }, [4, 4]],
    stream: [->(pool) { pool.stream(1..20, Double, max_in_flight: 4).to_a }, (1..20).map { |number| number * 2 }]
  }.freeze
  MOST = 6

  %i[ractor thread].each do |backend|
    define_method(:"test_a_pool_of_#{backend}s_runs_everything_once_there_are_threads") do
      skip_without_ractors if backend == :ractor
      stress(1).times do |round|
        random = seeded(round)
        USES.each_key { |name| try(backend, name, random.rand(MOST), random.rand(1..MOST)) }
      end
    end
  end

  private

  def try(backend, name, granted, refused)
    use, expected = USES[name]
    assert_leaves_nothing(STATE_TIMEOUT_S) do
      pool = Ratomic::Workers::Pool.new(size: 2, min_batch: 0, backend: backend)
      results = refuse("", refused, after: granted) { within(STATE_TIMEOUT_S * 2) { use.call(pool) } }
      assert_done(expected, results, "#{name}: #{refused} refused after #{granted}")
    rescue ThreadError => e
      assert_equal MESSAGE, e.message
    ensure
      assert_in_order(pool, "#{name}: #{refused} refused after #{granted}")
    end
  end

  # An item that could not be run for want of a thread says so.
  def assert_done(expected, results, place)
    seen = results.zip(expected).map do |result, wanted|
      next result unless Ratomic::Workers::Failure === result

      result.message == MESSAGE ? wanted : :died
    end
    assert_equal expected, seen, "#{place}: #{results.inspect}"
  end

  def assert_in_order(pool, place)
    assert_equal([4, 2], within(STATE_TIMEOUT_S) { pool.dispatch_async([2, 1], Double).value }, place)
    engine = pool.instance_variable_get(:@cell)[:engine]
    eventually(STATE_TIMEOUT_S, "the end of all items (#{place})") { engine.finished.value == engine.accepted.value }
    eventually(STATE_TIMEOUT_S, "all workers (#{place})") { engine.worker_statuses.size >= pool.size }
    assert within(STATE_TIMEOUT_S) { pool.shutdown }, place
  end
end
