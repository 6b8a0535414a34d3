# frozen_string_literal: true

require_relative "json_line"

module Cdc
  # As {CountRuns}, and makes a JSON line ({JSONLine}) of every change.
  class PrintRuns < CountRuns
    # As Counted, with the lines in order.
    class Printed < Counted
      # @return [String]
      attr_reader :text

      def initialize
        super
        @text = +""
      end

      def add(change, bytes)
        super
        @text << JSONLine.of(change) << "\n" if change.is_a?(Change)
      end

      def merge(other)
        @text << other.text
        super
      end
    end

    def initial
      Printed.new
    end
  end
end
