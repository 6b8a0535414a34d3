# frozen_string_literal: true

module WorkersBench
  # What this machine can give at most, and what a message costs at least.
  class References
    ITEMS = ([200] * 500).freeze

    def initialize(bench)
      @bench = bench
    end

    def run
      @bench.title "References: 500 items of 200 microseconds"
      Load::Spin.calibrate
      times = @bench.compare(contestants)
      alone = times["sequential map"]
      times.each { |name, seconds| @bench.show("#{name} (speed-up)", alone / seconds, "x") }
      ping_pong
    end

    private

    def contestants
      pool = Ratomic::Workers::Pool.new(size: Etc.nprocessors, min_batch: 0).start
      { "sequential map" => -> { timed { ITEMS.map { |item| Load::Spin.call(item) } } },
        "thread pool" => -> { timed { threads } },
        "forked processes, nothing returned" => -> { timed { forks } },
        "Ratomic::Workers" => -> { timed { pool.dispatch_async(ITEMS, Load::Spin).value } } }
    end

    def timed
      started = WorkersBench.now
      yield
      WorkersBench.now - started
    end

    def shares
      ITEMS.each_slice(ITEMS.size / Etc.nprocessors)
    end

    def threads
      shares.map { |items| Thread.new { items.map { |item| Load::Spin.call(item) } } }.each(&:value)
    end

    def forks
      children = shares.map do |items|
        fork do
          items.each { |item| Load::Spin.call(item) }
          exit!(0)
        end
      end
      children.each { |pid| Process.wait(pid) }
    end

    # Two bare Ractors, a message there and back.
    def ping_pong
      here = Ractor::Port.new
      there = Ractor.new(here) do |back|
        mine = Ractor::Port.new
        back << mine
        while (message = mine.receive)
          back << message
        end
      end
      port = here.receive
      latencies = Array.new(5000) { timed { (port << 1) && here.receive } * 1e6 }
      port << nil
      there.join
      @bench.show("two bare Ractors over ports, there and back (median)", WorkersBench.median(latencies), "us")
    end
  end
end
