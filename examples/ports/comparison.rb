# frozen_string_literal: true

module Ports
  # Runs the ways of each pattern in turn, in another order each round.
  class Comparison
    # The patterns by the names in the table, and items for each.
    PATTERNS = {
      "request and response" => Request, "load balancing" => Balance, "one channel, many receivers" => OneChannel,
      "supervision, nobody dies" => Supervision, "supervision, 1 % raises" => Supervision,
      "supervision, 1 dies" => Supervision
    }.freeze

    # Medians for one item, and whether all answers were right in every round.
    Row = Struct.new(:pattern, :way, :microseconds, :processor, :right)

    # @param pattern [String]
    # @param count [Integer]
    # @return [Array<Integer>] an item that raises is negative, an item that ends its worker is 0
    def self.items(pattern, count)
      Array.new(count) do |index|
        case pattern
        when /raises/ then (index % 100) == 50 ? -1 : index + 1
        when /dies/ then index == count / 2 && !pattern.include?("nobody") ? 0 : index + 1
        else index + 1
        end
      end.freeze
    end

    # @param items [Integer] of each run
    # @param workers [Integer]
    def initialize(items:, workers:)
      @count = items
      @workers = workers
    end

    # @param rounds [Integer]
    # @return [Array<Row>]
    def run(rounds, random: Random.new(1))
      PATTERNS.flat_map { |pattern, room| compare(pattern, room::WAYS, rounds, random) }
    end

    private

    def compare(pattern, kinds, rounds, random)
      items = self.class.items(pattern, @count)
      ways = kinds.transform_values { |kind| kind.new(@workers) }
      ways.each_value { |way| way.call([1] * @workers) } # all have started
      taken = ways.transform_values { [] }
      rounds.times { ways.keys.shuffle(random: random).each { |name| taken[name] << measure(ways[name], items) } }
      taken.map { |name, runs| Row.new(pattern, name, median(runs, 0), median(runs, 1), runs.all?(&:last)) }
    ensure
      ways&.each_value(&:close)
    end

    # @return [Array(Float, Float, Boolean)] seconds, processor seconds, whether the answers are right
    def measure(way, items)
      before = clocks
      answers = way.call(items)
      clocks.zip(before).map { |after, start| after - start } << (answers == expected(items))
    end

    def expected(items)
      items.map { |number| number * number if number.positive? }
    end

    def clocks
      [Process::CLOCK_MONOTONIC, Process::CLOCK_PROCESS_CPUTIME_ID].map { |clock| Process.clock_gettime(clock) }
    end

    def median(runs, place)
      runs.map { |run| run[place] }.sort[runs.size / 2] / @count * 1e6
    end
  end
end
