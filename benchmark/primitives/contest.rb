# frozen_string_literal: true

module Primitives
  def self.now
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end

  # Contestants that do the same work, and what is asked of them. Each is a block that does the work once and returns
  # how many operations that were; in each round they run in another order, because a round pays for the garbage of the
  # one before it.
  class Contest
    # `ours` was asked to be at least `least` times as fast as `theirs`.
    Bound = Struct.new(:ours, :theirs, :least)

    attr_reader :title, :unit, :bounds

    def initialize(title, unit: "operations/s", &block)
      @title = title
      @unit = unit
      @contestants = {}
      @bounds = []
      instance_exec(&block)
    end

    def contestant(name, &work)
      @contestants[name] = work
    end

    def ask(ours, theirs, least)
      @bounds << Bound.new(ours, theirs, least)
    end

    # @return [Hash{String => Float}] the median of each contestant, in operations a second
    def run(rounds)
      @contestants.each_value(&:call) # warm
      rates = Hash.new { |all, name| all[name] = [] }
      rounds.times do
        @contestants.to_a.shuffle.each { |name, work| rates[name] << rate(work) }
      end
      @contestants.keys.to_h { |name| [name, median(rates[name])] }
    end

    private

    def rate(work)
      GC.start
      start = Primitives.now
      count = work.call
      count / (Primitives.now - start)
    end

    def median(numbers)
      sorted = numbers.sort
      (sorted[(sorted.size - 1) / 2] + sorted[sorted.size / 2]) / 2.0
    end
  end
end
