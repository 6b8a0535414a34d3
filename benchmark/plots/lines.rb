# frozen_string_literal: true

require_relative "canvas"

module Plots
  # A line for each series over numbers that grow from left to right.
  class Lines
    # @param title [String]
    # @param places [Array<Numeric>] where the values stand
    # @param series [Hash{String => Array<Float, nil>}] a value for each place; nil leaves it out
    # @param note [String]
    # @param unit [String]
    # @param scale [Symbol] of the places: +:linear+ or +:log+
    # @param mark [Numeric, nil] a level to compare with
    def initialize(title, places, series, note:, unit:, scale: :linear, mark: nil)
      @places = places
      @series = series
      @canvas = Canvas.new(title, note: note, unit: unit, top: [*series.values.flatten.compact, mark || 0].max)
      @scale = scale
      @mark = mark
    end

    # @return [String] SVG
    def to_s
      @canvas.legend(@series.keys)
      @canvas.mark(@mark) if @mark
      @places.each { |place| @canvas.label(share(place), place.to_s) }
      @series.each_value.with_index { |values, index| line(values, Canvas::COLOURS.fetch(index)) }
      @canvas.to_s
    end

    private

    def line(values, colour)
      points = @places.zip(values).reject { |_, value| value.nil? }
                      .map { |place, value| [@canvas.x(share(place)), @canvas.y(value)] }
      @canvas << %(<polyline points="#{points.map { |pair| pair.join(",") }.join(" ")}" fill="none" ) +
                 %(stroke="#{colour}" stroke-width="2.5"/>)
      points.each { |across, down| @canvas << %(<circle cx="#{across}" cy="#{down}" r="3.5" fill="#{colour}"/>) }
    end

    # Not to the very edge, where a label would be cut.
    def share(place)
      first, last, here = [@places.first, @places.last, place].map { |one| @scale == :log ? Math.log(one) : one }
      0.04 + (0.92 * (here - first).fdiv(last - first))
    end
  end
end
