# frozen_string_literal: true

module Cdc
  # The callable of a reduction (`Ratomic::Workers.reduce(runs, CountRuns.new(relations)).sum`): decodes all rows of a
  # {Run} and counts them on the spot. What comes home are the counts of each chunk of runs that a worker took, merged
  # in the order of the stream. Frozen and shareable.
  class CountRuns
    # The counts of some runs, and the messages in them that could not be decoded.
    class Counted
      # @return [Totals::Tally]
      attr_reader :tally
      # @return [Array<RunReader::Rejected>] what could not be decoded
      attr_reader :rejected

      def initialize
        @tally = Totals::Tally.new
        @rejected = []
      end

      # @return [Integer] row changes and truncates
      def changes
        @tally.changes
      end

      # @param change [Change, RunReader::Rejected]
      # @param bytes [Integer] size of its message
      def add(change, bytes)
        change.is_a?(Change) ? @tally.count(change, bytes) : @rejected << change
      end

      # @param other [Counted] of what comes behind it in the stream
      # @return [self]
      def merge(other)
        @tally.merge(other.tally)
        @rejected.concat(other.rejected)
        self
      end
    end

    # @param relations [Ratomic::Map] as {Intake#relations} or {Recording#relations}
    def initialize(relations)
      @relations = relations
      @nothing = Ractor.make_shareable(initial)
      freeze
    end

    # @return [Counted] of nothing
    def initial
      Counted.new
    end

    # @param run [Run]
    # @return [Counted]
    def call(run)
      count(run, {}, initial)
    end

    # Each table is looked up once for all of these runs: many are of a row or two.
    #
    # @param runs [Array<Run>]
    # @return [Counted] of all of them
    def count_all(runs)
      known = {}.compare_by_identity # by the descriptions that are current there
      counted = initial
      runs.each { |run| count(run, known[run.schemas] ||= {}, counted) }
      counted
    end

    # For a reduction, which takes runs in chunks.
    #
    # @param runs [Array<Run>]
    # @return [Array<Counted>] all in the first, and nothing in the others
    def call_many(runs)
      counted = count_all(runs)
      Array.new(runs.size) { |index| index.zero? ? counted : @nothing }
    end

    # @param sum [Counted] which is changed
    # @param other [Counted]
    # @return [Counted]
    def merge(sum, other)
      sum.merge(other)
    end

    private

    def count(run, tables, counted)
      RunReader.new(run, @relations, tables).each { |change, bytes| counted.add(change, bytes) }
      counted
    end
  end
end
