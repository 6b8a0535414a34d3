# frozen_string_literal: true

module Metrics
  # Runs all ways in turn, in another order each round, and compares their totals with those of one thread.
  class Comparison
    # Medians, and whether all totals were right in every round.
    Row = Struct.new(:name, :seconds, :processor, :exact)

    # @param lines [Array<String>]
    # @param workers [Integer]
    # @param ways [Hash{String => #call}]
    def initialize(lines, workers:, ways: WAYS)
      @ways = ways
      @expected = Totals.of(lines)
      @shares = lines.each_slice([(lines.size / workers.to_f).ceil, 1].max).map(&:freeze).freeze
    end

    # @param rounds [Integer]
    # @param random [Random] of the order
    # @return [Array<Row>] medians of the rounds
    def run(rounds, random: Random.new(1))
      taken = @ways.transform_values { [] }
      rounds.times do
        @ways.keys.shuffle(random: random).each { |name| taken[name] << measure(@ways.fetch(name)) }
      end
      taken.map do |name, runs|
        Row.new(name, median(runs.map(&:first)), median(runs.map { |run| run[1] }), runs.all?(&:last))
      end
    end

    private

    # @return [Array(Float, Float, Boolean)] seconds, processor seconds, whether the totals are exact
    def measure(way)
      GC.start # or one way pays for the garbage of another
      before = clocks
      totals = way.call(@shares)
      clocks.zip(before).map { |after, start| after - start } << (totals == @expected)
    end

    def clocks
      [Process::CLOCK_MONOTONIC, Process::CLOCK_PROCESS_CPUTIME_ID].map { |clock| Process.clock_gettime(clock) }
    end

    def median(numbers)
      numbers.sort[numbers.size / 2]
    end
  end
end
