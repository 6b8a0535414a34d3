# frozen_string_literal: true

module Cdc
  # The callable for a long stream: decodes all rows of some {Run}s, counts them on the spot, adds what it counted to
  # the {Totals} at the end, and returns next to nothing. So a worker touches what is shared once for some thousand
  # rows. Frozen and shareable.
  class CountRuns
    # What came of one item: rows decoded, and those that could not be.
    Counted = Struct.new(:changes, :rejected)

    # @return [Totals] what was decoded so far
    attr_reader :totals

    # @param relations [Ratomic::Map] as {Intake#relations} or {Recording#relations}
    # @param totals [Totals]
    def initialize(relations, totals = Totals.new)
      @relations = relations
      @totals = totals
      freeze
    end

    # @param runs [Array<Run>]
    # @return [Counted]
    def call(runs)
      tally = Totals::Tally.new
      rejected = []
      decode(runs) do |change, bytes|
        change.is_a?(Change) ? tally.count(change, bytes) : rejected << change
      end
      @totals.add(tally)
      Counted.new(tally.changes, rejected)
    end

    private

    def decode(runs, &block)
      runs.each { |run| RunReader.new(run, @relations).each(&block) }
    end
  end
end
