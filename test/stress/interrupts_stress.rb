# frozen_string_literal: true

require "test_helper"
require "support/worker_callables"

# Threads that items have started may kill the threads of a worker, or raise into them, at any moment: also when the
# worker has just taken a batch, or hands its items over. Whatever they meet, no dispatch is lost.
class InterruptsStress < Minitest::Test
  include WorkerCallables

  def test_interrupted_workers_lose_no_dispatch
    random = seeded
    before = Thread.list
    pool = Ratomic::Workers::Pool.new(size: 2, backend: :thread, min_batch: 0, name: "interrupted")
    made = Array.new(stress(300)) do
      items = Array.new(random.rand(20)) { random.rand(1000) }
      future = pool.dispatch_async(items, Double, sequential: random.rand < 0.2)
      interrupt((Thread.list - before).select { |thread| of_worker?(thread) }.sample(random: random), random)
      sleep(random.rand * 0.002)
      [items, future]
    end
    within(60) { made.each { |items, future| assert_results(items, future.value) } }
    eventually { pool.stats[:workers][:alive] == 2 }
    assert_equal 0, pool.stats[:items][:in_flight]
    assert within(20) { pool.shutdown(timeout: 15) }
  end

  private

  # Whether it is the main thread of a worker, or one that runs items.
  def of_worker?(thread)
    thread.thread_variable_get(:fork_safe) && (thread.name.nil? || thread.name.start_with?("ratomic-interrupted-"))
  end

  def interrupt(thread, random)
    return if thread.nil?

    random.rand(3).zero? ? thread.kill : (1 + random.rand(2)).times { thread.raise(IOError, "from outside") }
  end

  def assert_results(items, results)
    assert_equal items.size, results.size
    items.zip(results) { |item, result| assert_equal item * 2, result unless result.is_a?(Ratomic::Workers::Failure) }
  end
end
