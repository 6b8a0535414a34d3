# frozen_string_literal: true

module Metrics
  # What a keeper is asked for in the end; equal totals are equal numbers.
  #
  # counts: changes by table and kind; slowest: the longest lag of each table, in milliseconds
  Totals = Struct.new(:changes, :bytes, :counts, :slowest) do
    # @return [Totals] of nothing
    def self.none
      new(0, 0, {}, {})
    end

    # @param lines [Array<String>]
    # @return [Totals] counted one after the other: what every keeper must come to
    def self.of(lines)
      lines.each_with_object(none) { |line, totals| totals.count(Change.parse(line)) }
    end

    # Counts into plain Hashes, in one thread.
    # @param change [Change]
    # @return [void]
    def count(change)
      self.changes += 1
      self.bytes += change.bytes
      counts[change.name] = counts.fetch(change.name, 0) + 1
      slowest[change.table] = [slowest.fetch(change.table, 0), change.lag_ms].max
    end
  end
end
