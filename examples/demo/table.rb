# frozen_string_literal: true

module Demo
  # The rows as text: words to the left, numbers to the right.
  class Table
    HEADINGS = ["job", "mode", "items", "MB", "failures", "seconds", "items/s", "speed-up"].freeze
    WORDS = 2

    # @param rows [Array<Row>]
    def initialize(rows)
      @lines = rows.map { |row| cells(row) }
    end

    # @return [String] with a line break at its end
    def to_s
      widths = [HEADINGS, *@lines].transpose.map { |column| column.map(&:size).max }
      rule = widths.map { |width| "-" * width }
      groups = @lines.slice_when { |one, other| one.first != other.first }.to_a
      [HEADINGS, *groups.flat_map { |group| [rule, *group] }].map { |line| align(line, widths) }.join
    end

    private

    def cells(row)
      [row.job, row.mode, grouped(row.items), format("%.1f", row.bytes / 1e6), grouped(row.failures),
       format("%.3f", row.seconds), grouped(row.items_per_second.round), format("%.2fx", row.speedup)]
    end

    def align(line, widths)
      cells = line.each_with_index.map do |cell, index|
        index < WORDS ? cell.ljust(widths[index]) : cell.rjust(widths[index])
      end
      "#{cells.join('  ').rstrip}\n"
    end

    def grouped(number)
      number.to_s.reverse.scan(/\d{1,3}/).join(",").reverse
    end
  end
end
