# frozen_string_literal: true

module WorkersBench
  # Adaptive dispatch against a plain `map`, over what items cost and how many there are.
  class Grid
    COSTS = [1, 10, 100, 1000, 10_000].freeze # microseconds
    COUNTS = [1, 10, 50, 100, 1000, 10_000].freeze
    # Seconds that a cell may take at most, alone.
    LONGEST = 0.25

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
    end

    def run
      @bench.title "min_batch: :auto against map: speed-up by cost of an item and number of items"
      cells = COSTS.product(COUNTS).select { |cost, count| cost * count <= LONGEST * 1e6 || count == 1 }
      reached = cells.to_h { |cost, count| [[cost, count], cell(cost, count)] }
      reached.each { |(cost, count), share| @bench.show("#{count} items of #{cost} us", share, "x") }
      @bench.ask("the worst cell", reached.values.min, at_least: 0.95)
      large = reached.select { |(cost, count), _| cost >= 100 && count >= 50 }
      @bench.ask("50 items of 100 us and more, the worst", large.values.min, at_least: 1.5)
    ensure
      @pool.shutdown
    end

    private

    # Times are of as many repetitions as make it some milliseconds.
    def cell(cost, count)
      items = ([cost] * count).freeze
      callable = CALLABLES[cost]
      times = [(3000.0 / (cost * count)).ceil, 1].max
      seconds = @bench.compare({ map: -> { timed(times) { items.map { |item| callable.call(item) } } },
                                 pool: -> { timed(times) { @pool.dispatch_async(items, callable).value } } }, warm: 2)
      seconds[:map] / seconds[:pool]
    end

    def timed(times)
      started = WorkersBench.now
      times.times { yield }
      WorkersBench.now - started
    end
  end
end
