# frozen_string_literal: true

require "test_helper"

# Memory is where it was, whatever went in and out: in a process of its own, after the same work has warmed it up.
class LeakStress < Minitest::Test
  # Megabytes, or so many times 400 objects, that are no leak: what the heap's own rounding takes.
  LIMIT = 6

  MEASURE = "LIMIT = #{LIMIT}\n#{<<~'RUBY'}".freeze
    require "ratomic"

    def resident
      2.times { GC.start }
      GC.compact if GC.respond_to?(:compact) rescue NotImplementedError
      File.read("/proc/self/statm").split[1].to_i * 4096 / 1024.0 / 1024
    end

    # A leak grows in each series. What malloc keeps of a moment with many threads is not there a second time. Prints
    # what the last of at most three series has grown by.
    def leak(rounds, level = method(:resident))
      3.times { yield }
      grown = nil
      3.times do
        before = level.call
        rounds.times { yield }
        break if (grown = level.call - before) < LIMIT
      end
      print grown.round(1)
    end

    # Where each Ractor has a heap of its own, resident memory says little of what Ractors make: Ruby 4.1 keeps the
    # empty pages of a heap, of 64 kB each, for what comes. Living objects tell, in this heap, which inherits from
    # Ractors that have ended.
    def living
      4.times { GC.start }
      GC.stat(:heap_live_slots)
    end

    # Short waits are made side by side: it takes a busy machine many milliseconds to wake a thread.
    def in_ten_threads(&work)
      Array.new(10) { Thread.new(&work) }.each(&:join)
    end

    def leak_in_ractors(rounds, &work)
      Ratomic::HEAP_PER_RACTOR ? leak(rounds, -> { living / 400.0 }, &work) : leak(rounds, &work)
    end
  RUBY

  def setup
    skip "needs /proc" unless File.readable?("/proc/self/statm")
  end

  def test_a_million_operations_on_a_map
    assert_no_growth(<<~'RUBY')
      map = Ratomic::Map.new
      leak(10) do
        20_000.times do |number|
          key = "key #{number % 5_000}"
          map[key] = "value #{number}"
          map.compute(key) { |value| [value] }
          map.increment([key])
          map.delete(key) if number % 3 == 0
          map.append("list #{number % 100}", number) if number % 20 == 0
        end
        map.clear
      end
    RUBY
  end

  def test_a_million_items_through_a_queue
    assert_no_growth(<<~'RUBY')
      queue = Ratomic::Queue.new(1_000)
      leak(10) do
        50_000.times { |number| queue << "item #{number}"; queue.pop if number >= 900 && queue.size > 900 }
        queue.clear
      end
    RUBY
  end

  def test_many_short_lived_objects_and_waiters
    assert_no_growth(<<~'RUBY')
      leak(10) do
        in_ten_threads do
          500.times do |number|
            map = Ratomic::Map.new
            map[number] = "value"
            queue = Ratomic::Queue.new(4)
            queue << "item"
            Ratomic::Counter.new(number)
            Ratomic::Workers::Completion.new(8).fill("late")
            queue.clear.pop(timeout: 0.00001) if number % 10 == 0
          end
        end
      end
    RUBY
  end

  def test_waits_that_end_by_timeout_and_kill
    assert_no_growth(<<~'RUBY')
      queue = Ratomic::Queue.new(1)
      map = Ratomic::Map.new
      latch = Ratomic::Workers::Completion.new(1)
      leak(10) do
        in_ten_threads { 200.times { queue.pop(timeout: 0.00001) || latch.wait(0.00001) } }
        100.times { Thread.new { queue.pop }.kill.join }
        2_000.times { map.compute(:key) { raise "no" } rescue map.compute(:key) { next 1 } }
        abort "waiters are left" unless queue.num_waiting.zero?
      end
    RUBY
  end

  def test_worker_pools_that_were_shut_down
    assert_no_growth(<<~'RUBY')
      module Same
        def self.call(item) = item
      end
      leak_in_ractors(10) do
        200.times do
          pool = Ratomic::Workers::Pool.new(size: 1)
          pool.dispatch_async([1], Same, min_batch: 0).value
          pool.shutdown
        end
      end
    RUBY
  end

  def test_pools_that_were_dropped_or_closed
    skip_without_ractors
    assert_no_growth(<<~'RUBY')
      leak_in_ractors(10) do
        100.times do |number|
          pool = Ratomic::Pool.new(1) { [] }
          pool.with { |list| list << number }
          pool.close if number.odd?
        end
        # A few may stay until the next round: the collector takes any word on a native stack for a reference.
        2_000.times { GC.start || sleep(0.001) if Ractor.count > 6 }
      end
      abort "#{Ractor.count - 1} pools of 1,300 are left" if Ractor.count > 6
    RUBY
  end

  def test_local_pools_that_were_dropped_or_closed
    assert_no_growth(<<~'RUBY')
      module Make
        def self.call = Object.new
      end
      leak(10) do
        2_000.times do |number|
          pool = Ratomic::LocalPool.new(size: 2, factory: Make)
          pool.with { }
          pool.close if number.odd?
        end
      end
    RUBY
  end

  def test_failures
    skip_on_development_ruby "what is shareable stays until all heaps are collected, which it seldom does"
    assert_no_growth(<<~'RUBY')
      module Bad
        def self.call(_) = raise("bad")
      end
      pool = Ratomic::Workers::Pool.new(size: 2)
      items = (1..500).to_a.freeze
      leak(10) { 20.times { pool.dispatch_async(items, Bad, min_batch: 0).value } }
    RUBY
  end

  private

  def assert_no_growth(work)
    grown = ruby!(MEASURE + work, seconds: 240)
    assert_operator Float(grown), :<, LIMIT, "megabytes (or 400 objects) more"
  end
end
