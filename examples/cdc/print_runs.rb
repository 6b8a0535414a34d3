# frozen_string_literal: true

require_relative "json_line"

module Cdc
  # As {CountRuns}, and makes a JSON line ({JSONLine}) of every change.
  class PrintRuns < CountRuns
    # As Counted, with the lines in order.
    Printed = Struct.new(:changes, :rejected, :text)

    # @param runs [Array<Run>]
    # @return [Printed]
    def call(runs)
      tally = Totals::Tally.new
      rejected = []
      text = +""
      decode(runs) do |change, bytes|
        next rejected << change unless change.is_a?(Change)

        tally.count(change, bytes)
        text << JSONLine.of(change) << "\n"
      end
      @totals.add(tally)
      Printed.new(tally.changes, rejected, text)
    end
  end
end
