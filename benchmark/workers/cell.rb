# frozen_string_literal: true

module WorkersBench
  # So many items of one cost, run in different ways. Each way takes some milliseconds, and returns the seconds that one
  # run took.
  class Cell
    # A callable of its own for each cost, as the pool learns costs by callable.
    CALLABLES = Hash.new do |made, cost|
      made[cost] = Module.new do
        define_singleton_method(:call, &Ractor.shareable_proc { |item| Load::Spin.call(item) })
      end
    end

    # Microseconds of work so small that even less than a dispatch shows beside it.
    TINY = 10
    # Seconds of repetitions.
    TIMED = 0.02
    # Seconds of work for forks, so that starting them takes little of it.
    FORKED = 0.1

    # @param cost [Integer] microseconds of an item
    def initialize(pool, cost, count)
      @pool = pool
      @cost = cost
      @count = count
      @items = ([cost] * count).freeze
      @callable = CALLABLES[cost]
      @times = (TIMED * 1e6 / (cost * count)).ceil
    end

    def name
      "#{@count} items of #{@cost} us"
    end

    def tiny?
      @cost * @count <= TINY
    end

    # Whether two workers have to be faster than one.
    def large?
      @cost >= 100 && @count >= 50
    end

    def work
      @cost * @count
    end

    def map
      timed { @items.map { |item| @callable.call(item) } }
    end

    def pool
      timed { @pool.dispatch_async(@items, @callable).value }
    end

    # The least that an answer through a future costs: nothing is checked, counted, timed or rescued.
    def bare
      timed { Ratomic::Workers::ResolvedFuture.new(@items.map { |item| @callable.call(item) }.freeze).value }
    end

    # Two processes, each with half of the repetitions.
    def forks
      times = (FORKED * 1e6 / work).ceil
      started = WorkersBench.now
      2.times.map { fork { times.times { @items.each { |item| @callable.call(item) } } && exit!(0) } }
       .each { |pid| Process.wait(pid) }
      (WorkersBench.now - started) / (2 * times)
    end

    private

    def timed
      started = WorkersBench.now
      @times.times { yield }
      (WorkersBench.now - started) / @times
    end
  end
end
