# frozen_string_literal: true

module WorkersBench
  # Adaptive dispatch against a plain `map`, over what items cost and how many there are.
  class Grid
    COSTS = [1, 10, 100, 1000, 10_000].freeze # microseconds
    COUNTS = [1, 10, 50, 100, 1000, 10_000].freeze
    # Seconds that a cell may take at most, alone.
    LONGEST = 0.25
    # What two forked processes have to reach for the machine to count as one of two processors. It is measured for each
    # of the cells that depend on it, right after it, because the processors may be two halves of one for a while.
    FORKS = 1.7
    FORKED = 0.1 # seconds of work, that the forks themselves take little of it

    # Microseconds of work so small that even less than a dispatch shows beside it.
    TINY = 10

    # The least that an answer through a future costs: nothing is checked, counted, timed or rescued.
    def self.bare(items, callable, **)
      Ratomic::Workers::Settled.new(items.map { |item| callable.call(item) }.freeze)
    end

    # A callable of its own for each cost, as the pool learns costs by callable.
    CALLABLES = COSTS.to_h do |cost|
      [cost, Module.new do
               define_singleton_method(:call, &Ractor.shareable_proc do |item|
                                                 Load::Spin.call(item)
                                               end)
             end]
    end.freeze

    def initialize(bench)
      @bench = bench
      @pool = Ratomic::Workers::Pool.new(size: Etc.nprocessors)
      Load::Spin.calibrate
      @forks = {}
    end

    def run
      @bench.title "min_batch: :auto against map: speed-up by cost of an item and number of items"
      cells = COSTS.product(COUNTS).select { |cost, count| cost * count <= LONGEST * 1e6 || count == 1 }
      reached = cells.to_h { |cost, count| [[cost, count], cell(cost, count)] }
      @bench.ask("the worst cell", reached.values.min, at_least: 0.95)
      @bench.ask("the worst cell of 10 us of work and more",
                 reached.select { |(cost, count), _| cost * count >= 10 }.values.min, at_least: 0.95)
      large = reached.select { |(cost, count), _| cost >= 100 && count >= 50 && @forks[[cost, count]] >= FORKS }
      return puts "  forked processes did not reach #{FORKS}x, so the machine has no two processors now" if large.empty?

      @bench.ask("50 items of 100 us and more, where forked processes reach #{FORKS}x, the worst", large.values.min,
                 at_least: 1.5)
    ensure
      @pool.shutdown
    end

    private

    # Times are of as many repetitions as make it twenty milliseconds.
    def cell(cost, count)
      items = ([cost] * count).freeze
      callable = CALLABLES[cost]
      times = (20_000.0 / (cost * count)).ceil
      map = -> { timed(times) { items.map { |item| callable.call(item) } } }
      gain = @bench.speed_up(-> { timed(times) { @pool.dispatch_async(items, callable).value } }, over: map)
      if cost * count <= TINY
        bare = @bench.speed_up(-> { timed(times) { Grid.bare(items, callable).value } }, over: map)
        beside = "(a bare future #{bare.round(2)}x)"
      elsif cost >= 100 && count >= 50
        @forks[[cost, count]] = forks = @bench.speed_up(-> { forked(items, callable) }, over: map, warm: 0)
        beside = "(two forked processes #{forks.round(2)}x)"
      end
      @bench.show(["#{count} items of #{cost} us", *beside].join(" "), gain, "x")
      gain
    end

    # Seconds that two processes take for the items, each half of the repetitions.
    def forked(items, callable)
      times = (FORKED * 1e6 / items.sum).ceil
      started = WorkersBench.now
      2.times.map { fork { times.times { items.each { |item| callable.call(item) } } && exit!(0) } }
       .each { |pid| Process.wait(pid) }
      (WorkersBench.now - started) / (2 * times)
    end

    # Seconds of one of so many repetitions.
    def timed(times)
      started = WorkersBench.now
      times.times { yield }
      (WorkersBench.now - started) / times
    end
  end
end
