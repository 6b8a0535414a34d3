# frozen_string_literal: true

module WorkersBench
  # What a pool costs while it is there: memory, processor time when idle, and the recording of metrics.
  class Upkeep
    # In a process of its own: resident kilobytes before, with idle workers, and after work.
    MEMORY = <<~'RUBY'
      require "ratomic"
      size = Integer(ARGV[0])
      rss = -> { GC.start; File.read("/proc/self/status")[/VmRSS:\s+(\d+)/, 1].to_i }
      nothing = Module.new { def self.call(item) = item }
      parse = Ratomic::Workers::ParseJSON
      text = %({"list": [#{(["1.5", "\"text\""] * 200).join(",")}]})
      warm = Ratomic::Workers::Pool.new(size: 1, min_batch: 0)
      work = ->(pool) { 200.times { pool.dispatch_async([text] * 50, parse).value } }
      work.call(warm) # the heap of the process grows with the results; that is not a worker's
      before = rss.call
      pool = Ratomic::Workers::Pool.new(size: size, min_batch: 0).start
      Thread.pass until pool.stats[:workers][:alive] == size
      sleep 0.3
      idle = rss.call
      cpu = Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID)
      sleep 1
      cpu = Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID) - cpu
      work.call(pool)
      busy = rss.call
      puts [(idle - before).fdiv(size), (busy - before).fdiv(size), cpu].join(" ")
    RUBY

    # A pool's metrics that record nothing of a dispatch.
    class Silent < Ratomic::Workers::Metrics
      # Takes the place of a Counter and of a Tally.
      module Nobody
        def self.increment(_number = 1); end

        def self.record(_nanoseconds); end
      end

      def dispatches
        Nobody
      end

      def tally
        Nobody
      end
    end

    # Dispatches in a row to one of two pools that are compared. A machine that gets faster or slower does so for both.
    BLOCK = 100

    def initialize(bench)
      @bench = bench
    end

    def run
      [5, 10, 20].each { |size| memory(size) }
      metrics
    end

    private

    def memory(size)
      @bench.title "A pool of #{size} workers"
      idle, busy, cpu = WorkersBench.child("-e", MEMORY, size.to_s).split.map(&:to_f)
      @bench.show("#{size} workers, idle: resident memory of each", idle / 1024, "MB")
      @bench.show("#{size} workers, after work: resident memory of each", busy / 1024, "MB")
      @bench.show("#{size} workers, idle: processor time in a second", cpu * 1000, "ms")
      @bench.ask("#{size} workers, MB of an idle one", idle / 1024, at_most: 0.5)
      @bench.ask("#{size} workers, MB of a busy one", busy / 1024, at_most: 2)
      @bench.ask("#{size} workers, idle: share of a processor", cpu, at_most: 0.005)
    end

    # The same engine with and without, in turn.
    def metrics
      @bench.title "Recording metrics: an empty dispatch with and without"
      pools = [Ratomic::Workers::Metrics, Silent].map { |kind| pool_with(kind) }
      with, without = pools.map { |pool| -> { block(pool) } }
      20.times { [with, without].each(&:call) }
      shares = Array.new(@bench.rounds * 20) { [share(with, without), 1 / share(without, with)] }.flatten
      @bench.show("empty dispatch with metrics", with.call / BLOCK * 1e6, "us")
      @bench.ask("metrics, share of an empty dispatch", WorkersBench.median(shares) - 1, at_most: 0.03)
    ensure
      pools&.each(&:shutdown)
    end

    # There and back.
    def share(one, other)
      before = one.call
      others = other.call + other.call
      (before + one.call) / others
    end

    # @return [Float] seconds
    def block(pool)
      one = [1].freeze
      started = WorkersBench.now
      BLOCK.times { pool.dispatch_async(one, Load::Nothing).value }
      WorkersBench.now - started
    end

    def pool_with(kind)
      workers = Ratomic::Workers
      usual = workers::Metrics
      workers.send(:remove_const, :Metrics)
      workers.const_set(:Metrics, kind)
      workers::Pool.new(size: Etc.nprocessors, min_batch: 0).tap do |pool|
        pool.dispatch_async([1], Load::Nothing).value
      end
    ensure
      workers.send(:remove_const, :Metrics)
      workers.const_set(:Metrics, usual)
    end
  end
end
