# frozen_string_literal: true

require_relative "statistics"

module Cdc
  # The totals as a table for people, each number beside what PostgreSQL counted, where that is known.
  class Report
    HEAD = ["table", "inserts", "updates", "deletes", "truncates", "bytes", "PostgreSQL ins/upd/del", ""].freeze

    # @param totals [Totals]
    # @param messages [Hash{String => Integer}] what was read, by the letter of its type
    # @param statistics [Statistics, nil]
    def initialize(totals, messages, statistics)
      @totals = totals
      @messages = messages
      @statistics = statistics
    end

    # @return [Array<String>] one line for each number that differs
    def differences
      @differences ||= @statistics ? @statistics.differences(@totals, @messages) : []
    end

    # @return [String] several lines
    def to_s
      rows = [HEAD, *table_rows]
      rows = rows.map { |row| row.first(6) } unless @statistics
      widths = rows.transpose.map { |column| column.map(&:size).max }
      rows.map { |row| line(row, widths) }.join("\n")
    end

    private

    def table_rows
      counted = @totals.to_h
      known = @statistics&.tables || {}
      (counted.keys | known.keys).sort.map do |table|
        ours = Totals::KINDS.map { |kind| counted.dig(table, kind) || 0 }
        theirs = Statistics::COUNTED.map { |kind| known.dig(table, kind) || 0 }
        [table, *ours.map(&:to_s), theirs.join("/"), ours.first(3) == theirs ? "equal" : "DIFFERENT"]
      end
    end

    def line(row, widths)
      cells = row.zip(widths).each_with_index.map { |(cell, width), i| i.zero? ? cell.ljust(width) : cell.rjust(width) }
      cells.join("  ").rstrip
    end
  end
end
