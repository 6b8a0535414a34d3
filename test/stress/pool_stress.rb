# frozen_string_literal: true

require "test_helper"

# Seeded runs of everything that can go wrong with a borrower, in many threads of many Ractors. After each the pool has
# to have all its objects again, and no object may ever have had two owners.
class PoolStress < Minitest::Test
  SIZE = 4

  # What a borrower does; shared by the main Ractor and the others.
  module Borrower
    module_function

    # @param pool [Ratomic::Pool]
    # @param seed [Integer]
    # @param rounds [Integer]
    # @param faults [Ratomic::Map] counts what happened
    def run(pool, seed, rounds, faults)
      random = Random.new(seed)
      rounds.times { |round| step(pool, random, [seed, round], faults) }
    rescue Exception => e # rubocop:disable Lint/RescueException -- counted, then passed on
      faults.increment(e.class.name)
      raise
    end

    def step(pool, random, token, faults)
      case random.rand(10)
      when 0..3 then pool.with { |object| own(object, token, faults) }
      when 4 then manual(pool, random, token, faults)
      when 5 then in_short_time(pool, random, token, faults)
      when 6 then raising(pool, token, faults)
      when 7 then immovable(pool, token, faults)
      when 8 then timed_out(pool, random, token, faults)
      when 9 then frozen(pool, token, faults)
      end
    rescue Ratomic::TimeoutError
      faults.increment("timeouts")
    end

    # The object is this borrower's alone until the block ends: nobody else writes into it.
    def own(object, token, faults)
      object[1] = token
      Thread.pass
      faults.increment("two owners") unless object[1].equal?(token)
      faults.increment("lent")
    end

    def manual(pool, random, token, faults)
      object = pool.checkout(timeout: random.rand * 0.002)
      return faults.increment("timeouts") if object.nil?

      own(object, token, faults)
      pool.checkin(object)
    end

    def in_short_time(pool, random, token, faults)
      pool.with(timeout: random.rand * 0.0005) { |object| own(object, token, faults) }
    end

    def raising(pool, token, faults)
      pool.with { |object| own(object, token, faults) && raise(KeyError) }
    rescue KeyError
      faults.increment("raised")
    end

    def immovable(pool, token, faults)
      pool.with { |object| own(object, token, faults) && (object << Thread.current) }
    rescue Ratomic::OwnershipError
      faults.increment("immovable")
    end

    def frozen(pool, token, faults)
      pool.with { |object| own(object, token, faults) && object.freeze }
    rescue Ratomic::OwnershipError
      faults.increment("frozen")
    end

    def timed_out(pool, random, token, faults)
      Timeout.timeout(random.rand * 0.001) { pool.with { |object| own(object, token, faults) } }
    rescue Timeout::Error
      faults.increment("timed out")
    end
  end

  def setup
    skip_without_ractors
    @made = made = Ratomic::Counter.new
    @faults = Ratomic::Map.new
    @pool = Ratomic::Pool.new(SIZE, 30) { [made.increment, :nobody] }
  end

  def teardown
    @pool&.close
  end

  def assert_conserved
    assert_nil @faults["two owners"], @faults.to_h.inspect
    eventually(1, "a full pool (#{@pool.inspect}, #{@faults.to_h})") { @pool.available == SIZE }
    taken = Array.new(SIZE) { @pool.checkout(timeout: 1) }
    assert_equal SIZE, taken.compact.map(&:first).uniq.size
    assert_nil @pool.checkout(timeout: 0)
    taken.each { |object| @pool.checkin(object) }
  end

  def test_borrowers_of_every_kind
    rounds = stress(60)
    threads = Array.new(4) { |n| Thread.new { Borrower.run(@pool, seeded(n).rand(2**30), rounds, @faults) } }
    ractors = Array.new(3) { |n| start_ractor(seeded(10 + n).rand(2**30), rounds) }
    within(60 * Stress::FACTOR) { (threads + ractors).each(&:value) }
    assert_operator @faults["lent"], :>, rounds
    assert_conserved
  end

  def start_ractor(seed, rounds)
    Ractor.new(@pool, seed, rounds, @faults) do |pool, base, count, faults|
      threads = Array.new(3) { |n| Thread.new { Borrower.run(pool, base + n, count, faults) } }
      threads.each(&:value)
      :done
    end
  end

  # Waits for all objects. The pool asks for one collection. If a word that is left on some stack looks like a
  # reference, it takes another one, after longer than the pool needs by itself.
  # @return [Boolean] whether it took another one
  def full_only_after_another_collection?
    late = Process.clock_gettime(Process::CLOCK_MONOTONIC) + 2
    collected = false
    eventually(10, "a full pool (#{@pool.inspect})") do
      next true if @pool.available == SIZE
      next if Process.clock_gettime(Process::CLOCK_MONOTONIC) < late

      collected = true
      GC.start
    end
    collected
  end

  def test_threads_killed_while_they_wait_and_while_they_hold
    random = seeded
    rounds = stress(30)
    late = rounds.times.count do
      threads = Array.new(8) do
        Thread.new { loop { @pool.with { |object| Borrower.own(object, [], @faults) } } }
      end
      threads += Array.new(2) { Thread.new { @pool.checkout(timeout: 1).then { sleep } } }
      threads.shuffle(random: random).each do |thread|
        Thread.pass if random.rand < 0.7
        sleep(random.rand * 0.001)
        thread.kill
      end
      within(10) { threads.each(&:join) }
      full_only_after_another_collection?
    end
    assert_operator late, :<=, rounds / 10, "of #{rounds} rounds"
    assert_conserved
  end

  def test_exceptions_thrown_at_borrowers_at_any_moment
    random = seeded
    threads = Array.new(6) do
      Thread.new do
        Thread.current.report_on_exception = false
        loop do
          @pool.with { |object| Borrower.own(object, [], @faults) }
        rescue KeyError
          @faults.increment("thrown at")
        end
      end
    end
    stress(300).times do
      sleep(random.rand * 0.0005)
      threads.sample(random: random).raise(KeyError)
    end
    threads.each(&:kill)
    within(10) { threads.each { |thread| thread.join rescue KeyError } } # rubocop:disable Style/RescueModifier
    assert_conserved
  end

  def test_ractors_that_end_and_crash_while_they_hold
    random = seeded
    stress(8).times do
      ractors = Array.new(3) { doomed(random.rand(2**30)) }
      within(20) { ractors.each { |ractor| ractor.value rescue Ractor::RemoteError } } # rubocop:disable Style/RescueModifier
      assert_conserved
    end
  end

  # Takes one or two objects in two threads, and ends (or raises) before it gives them back.
  def doomed(seed)
    Ractor.new(@pool, seed, @faults) do |pool, number, faults|
      Thread.current.report_on_exception = false
      random = Random.new(number)
      Thread.new { loop { pool.with(timeout: nil) { |object| Borrower.own(object, [number], faults) } } }
      Thread.new { pool.checkout(timeout: random.rand * 0.01) && Thread.stop }
      pool.checkout(timeout: random.rand * 0.01)
      raise KeyError, "crash" if random.rand < 0.5
    end
  end

  def test_many_checkouts_leave_memory_threads_and_ractors_where_they_were
    report = ruby!(<<~RUBY, stress(4_000).to_s, seconds: 60 * Stress::FACTOR).split.map(&:to_i)
      require "ratomic"
      count = Integer(ARGV.fetch(0))
      pool = Ratomic::Pool.new(2, 1) { [] }
      memory = -> { 3.times { GC.start }; File.read("/proc/self/status")[/VmRSS:\\s+(\\d+)/, 1].to_i }
      run = lambda do |times|
        (times / 3).times do
          pool.with { |object| object << 1; object.clear }
          first = pool.checkout
          second = pool.checkout
          pool.checkout(timeout: 0.00001) and raise "three of two"
          pool.checkin(first)
          pool.checkin(second)
        end
      end
      run.call(count / 4)
      sleep 0.6
      before = [memory.call, Thread.list.size, Ractor.count]
      run.call(count)
      deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + 5
      Thread.pass until Thread.list.size <= before[1] || Process.clock_gettime(Process::CLOCK_MONOTONIC) > deadline
      puts (before + [memory.call, Thread.list.size, Ractor.count, pool.available]).join(" ")
    RUBY
    memory, threads, ractors, memory_after, threads_after, ractors_after, available = report
    assert_operator memory_after, :<, memory + 4_096, "kilobytes"
    assert_operator threads_after, :<=, threads
    assert_equal ractors, ractors_after
    assert_equal 2, available
  end
end
