# frozen_string_literal: true

require_relative "canvas"

module Plots
  # Groups of bars: one group for each label, one bar for each series.
  class Bars
    # @param title [String]
    # @param labels [Array<String>] of the groups
    # @param series [Hash{String => Array<Float, nil>}] a value for each label
    # @param note [String]
    # @param unit [String]
    # @param mark [Numeric, nil] a level to compare with
    def initialize(title, labels, series, note:, unit:, mark: nil)
      @labels = labels
      @series = series
      @canvas = Canvas.new(title, note: note, unit: unit, top: [*series.values.flatten.compact, mark || 0].max)
      @mark = mark
    end

    # @return [String] SVG
    def to_s
      @canvas.legend(@series.keys)
      @labels.each_with_index { |label, group| @canvas.label((group + 0.5) / @labels.size, label) }
      @series.each_value.with_index { |values, place| values.each_with_index { |one, group| bar(group, place, one) } }
      @canvas.mark(@mark) if @mark
      @canvas.to_s
    end

    private

    def bar(group, place, value)
      return if value.nil?

      width = 0.8 / @labels.size / @series.size
      left = @canvas.x(((group + 0.1) / @labels.size) + (place * width))
      across = (@canvas.x(width) - @canvas.x(0) - 2).round(1)
      top = @canvas.y(value)
      @canvas << %(<rect x="#{left}" y="#{top}" width="#{across}" height="#{(@canvas.y(0) - top).round(1)}" ) +
                 %(fill="#{Canvas::COLOURS.fetch(place)}"/>) <<
        @canvas.text(left + (across / 2), top - 4, format("%.3g", value), "small", "middle")
    end
  end
end
