# frozen_string_literal: true

require "test_helper"

# A fork while other threads and Ractors use all three primitives: the child can go on using them. Every program runs in
# a process of its own, and a child that hangs is a failure.
class ForkStress < Minitest::Test
  SETUP = <<~'RUBY'
    require "ratomic"
    MAP = Ratomic::Map.new
    QUEUE = Ratomic::Queue.new(8)
    COUNTER = Ratomic::Counter.new
    STOP = Ratomic::Counter.new
    LATCH = Ratomic::Workers::Completion.new(1)

    module Work
      def self.forever
        number = 0
        while STOP.zero?
          number += 1
          MAP["key #{number % 20}"] = ["value", number]
          MAP.increment("count")
          MAP.compute("computed") { |value| value.to_i + 1 }
          QUEUE.push(number, timeout: 0.001)
          QUEUE.pop(timeout: 0.001)
          COUNTER.increment
          MAP.to_h if (number % 50).zero?
        end
      end
    end

    # What the child does: everything, with threads of its own too.
    module Child
      def self.check
        before = COUNTER.read
        100.times { COUNTER.increment }
        raise "counter #{before} #{COUNTER.read}" unless COUNTER.read == before + 100
        MAP["child"] = ["mine"]
        MAP.increment("child's count")
        MAP.compute("computed") { |value| value.to_i + 1 }
        raise "map" unless MAP["child"] == ["mine"] && MAP.to_h.size == MAP.size
        QUEUE.clear
        popper = Thread.new { QUEUE.pop }
        QUEUE << :item
        raise "queue" unless popper.join(10)&.value == :item
        8.times { |number| QUEUE << number }
        pusher = Thread.new { QUEUE << 8 }
        raise "order" unless Array.new(9) { QUEUE.pop } == (0..8).to_a && pusher.join(10)
        raise "waiting" unless QUEUE.num_waiting.zero?
        LATCH.fill(1)
        raise "latch" unless LATCH.wait(10)
      end
    end

    def fork_and_check(check = :check)
      pid = fork do
        Child.public_send(check)
        exit!(0)
      rescue Exception => e
        warn e.full_message
        exit!(1)
      end
      limit = Process.clock_gettime(Process::CLOCK_MONOTONIC) + 20
      until (ended = Process.wait2(pid, Process::WNOHANG))
        if Process.clock_gettime(Process::CLOCK_MONOTONIC) > limit
          Process.kill(:ABRT, pid)
          abort "a child hangs"
        end
        sleep 0.001
      end
      abort "a child failed: #{ended.last}" unless ended.last.success?
    end
  RUBY

  def test_a_fork_while_threads_use_them
    ruby!(<<~RUBY, seconds: 240)
      #{SETUP}
      threads = Array.new(4) { Thread.new { Work.forever } }
      waiters = [Thread.new { LATCH.wait }, Thread.new { MAP.compute("held") { STOP.read while sleep(0.01) } }]
      #{stress(25)}.times { fork_and_check }
      STOP.increment
      threads.each(&:join)
    RUBY
  end

  def test_a_fork_from_a_thread_that_is_not_the_first
    ruby!(<<~RUBY, seconds: 240)
      #{SETUP}
      threads = Array.new(2) { Thread.new { Work.forever } }
      Thread.new { #{stress(10)}.times { fork_and_check } }.join
      STOP.increment
      threads.each(&:join)
    RUBY
  end

  def test_a_fork_inside_a_block_lets_the_child_finish_it_and_the_parent_too
    ruby!(<<~RUBY)
      #{SETUP}
      reader, writer = IO.pipe
      pid = nil
      result = MAP.compute("forked") { (pid = fork) ? :parent : :child }
      if pid
        Process.wait(pid)
        abort "the child failed" unless $?.success?
        abort "parent" unless MAP["forked"] == :parent && MAP.increment("free") == 1
      else
        exit!(MAP["forked"] == :child && result == :child && MAP.set("forked", 1) == 1 ? 0 : 1)
      end
    RUBY
  end

  def test_a_key_that_another_thread_had_claimed_is_free_in_the_child_and_unchanged
    ruby!(<<~RUBY)
      #{SETUP}
      MAP["held"] = :before
      holder = Thread.new { MAP.compute("held") { sleep } }
      Thread.pass until holder.status == "sleep"
      waiter = Thread.new { MAP["held"] = 2 }
      Thread.pass until waiter.status == "sleep"
      pid = fork { exit!(MAP["held"] == :before && MAP.compute("held") { 5 } == 5 ? 0 : 1) }
      Process.wait(pid)
      abort "the child failed" unless $?.success?
      abort "the parent's claim is gone" unless waiter.alive?
    RUBY
  end

  def test_a_fork_while_ractors_use_them
    skip_without_ractors
    ruby!(<<~RUBY, seconds: 240)
      #{SETUP}
      ractors = Array.new(3) { Ractor.new { Work.forever } }
      threads = Array.new(2) { Thread.new { Work.forever } }
      #{stress(200)}.times { fork_and_check }
      STOP.increment
      (ractors.map(&:value) + threads.map(&:value))
    RUBY
  end

  # Batches are made, taken, run and filed at every moment of a fork, by Ractors that the child has not got.
  def test_a_fork_out_of_a_chaos_of_pools_maps_and_ractors
    skip_without_ractors
    ruby!(<<~RUBY, seconds: 600)
      #{SETUP}
      module Double
        def self.call(item) = item * 2
      end
      POOLS = Ractor.make_shareable(Array.new(2) { |n| Ratomic::Workers::Pool.new(size: 1 + n, min_batch: 0) })
      module Dispatching
        def self.forever(seed)
          random = Random.new(seed)
          while STOP.zero?
            items = Array.new(1 + random.rand(6)) { random.rand(100) }
            results = POOLS[random.rand(2)].dispatch_async(items, Double).value
            raise "\#{items} \#{results}" unless results == items.map { |item| item * 2 }
            MAP["key \#{random.rand(50)}"] = ["v", results.size]
            MAP.to_h if random.rand(50).zero?
          end
        end
      end
      module Child
        def self.check_pools
          check
          results = POOLS.map { |pool| pool.dispatch_async([1, 2], Double).value(timeout: 15) }
          raise results.inspect unless results == [[2, 4]] * 2
        end
      end
      POOLS.each { |pool| pool.dispatch_async([1], Double).value(timeout: 10) }
      ractors = Array.new(2) { |number| Ractor.new(#{Minitest.seed} + number) { |seed| Dispatching.forever(seed) } }
      ractors << Ractor.new { Work.forever }
      #{stress(40)}.times { fork_and_check(:check_pools) }
      STOP.increment
      ractors.each(&:value)
    RUBY
  end
end
