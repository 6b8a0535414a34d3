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

  # Returns the text in capitals. Its thread is killed so many seconds later, if any: in another item, or while it waits
  # for the next moved items.
  module EndLater
    def self.call((seconds, text))
      thread = Thread.current
      Thread.new { sleep(seconds) && thread.kill } if seconds
      text.upcase
    end
  end

  # The items then come to a mailbox where nobody waits any more. Ruby 4.1 collects such a port if it was not closed.
  # Nobody joins the killers, which in a Ractor of Ruby 4.0 can stop all Ractors: there the workers are threads.
  def test_workers_that_lose_the_thread_that_waits_for_moved_items_lose_no_dispatch
    random = seeded
    backend = Ratomic::HEAP_PER_RACTOR ? :ractor : :thread
    pool = Ratomic::Workers::Pool.new(size: 3, backend: backend, min_batch: 0, name: "waiting")
    collector = Thread.new { loop { sleep(0.002) && GC.start } }
    stress(6).times do
      items = Array.new(40) { [(random.rand * 0.002 if random.rand < 0.3), "text" * (1 + random.rand(200))] }
      texts = items.map { |_, text| text.upcase }
      results = within(60) { pool.dispatch_async(items, EndLater, move: true).value }
      assert_equal texts, (results.zip(texts).map { |result, text| failed?(result) ? text : result })
    end
    collector.kill.join
    assert_equal 0, pool.stats[:troubles][:count]
    assert within(20) { pool.shutdown(timeout: 15) }
  ensure
    collector&.kill
  end

  private

  def failed?(result)
    result.is_a?(Ratomic::Workers::Failure)
  end

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
    items.zip(results) { |item, result| assert_equal item * 2, result unless failed?(result) }
  end
end
