# frozen_string_literal: true

module Plots
  # An SVG picture with a title, a value axis and a legend. Readable on a light and on a dark page.
  class Canvas
    WIDTH = 760
    HEIGHT = 400
    LEFT = 70
    RIGHT = 20
    TOP = 84
    BOTTOM = 50
    # The palette of Okabe and Ito: readers who cannot tell red from green can tell these colours apart.
    COLOURS = %w[#0072b2 #e69f00 #009e73 #cc79a7 #56b4e9 #d55e00].freeze
    STYLE = <<~CSS
      text { font: 13px system-ui, sans-serif; fill: #222 }
      .title { font-size: 16px; font-weight: 600 }
      .small { font-size: 11px; fill: #666 }
      .grid { stroke: #ddd } .mark { stroke: #888; stroke-dasharray: 4 3 }
      @media (prefers-color-scheme: dark) { text { fill: #ddd } .small { fill: #999 } .grid { stroke: #444 } }
    CSS

    # @param title [String]
    # @param note [String] where the numbers are from
    # @param unit [String] of the value axis
    # @param top [Numeric] the largest value
    def initialize(title, note:, unit:, top:)
      @step = step(top)
      @top = (top / @step).ceil * @step
      @parts = [text(LEFT, 26, title, "title"), text(LEFT, 44, "#{unit}; #{note}", "small")]
      axis
    end

    # @return [Numeric] where a value stands, in pixels from above
    def y(value)
      (HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * value.fdiv(@top))).round(1)
    end

    # @param share [Float] 0 to 1, from left to right
    def x(share)
      (LEFT + ((WIDTH - LEFT - RIGHT) * share)).round(1)
    end

    # @param names [Array<String>] in the order of the colours
    def legend(names)
      at = LEFT
      names.each_with_index do |name, index|
        @parts << %(<rect x="#{at}" y="56" width="12" height="12" fill="#{COLOURS.fetch(index)}"/>)
        @parts << text(at + 17, 67, name)
        at += 34 + (name.size * 7)
      end
    end

    # @param value [Numeric] a level that the eye should compare with
    def mark(value)
      @parts << line(LEFT, y(value), WIDTH - RIGHT, y(value), "mark")
    end

    # A word below the axis.
    def label(share, words)
      @parts << text(x(share), HEIGHT - BOTTOM + 20, words, nil, "middle")
    end

    # @param svg [String] one more element
    def <<(svg)
      @parts << svg
      self
    end

    def text(across, down, words, style = nil, anchor = nil)
      escaped = words.gsub(/[&<>"]/, "&" => "&amp;", "<" => "&lt;", ">" => "&gt;", '"' => "&quot;")
      attributes = [style && %( class="#{style}"), anchor && %( text-anchor="#{anchor}")].join
      %(<text x="#{across}" y="#{down}"#{attributes}>#{escaped}</text>)
    end

    def to_s
      %(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 #{WIDTH} #{HEIGHT}" role="img">\n) \
        "<style>\n#{STYLE}</style>\n#{@parts.join("\n")}\n</svg>\n"
    end

    private

    # Four to nine lines, of round numbers.
    def step(top)
      rough = 10.0**Math.log10(top / 4.0).floor
      [1, 2, 2.5, 5, 10].map { |factor| factor * rough }.find { |one| top / one <= 6 }
    end

    def axis
      (0..(@top / @step).round).each do |number|
        value = number * @step
        @parts << line(LEFT, y(value), WIDTH - RIGHT, y(value), "grid")
        @parts << text(LEFT - 8, y(value) + 4, plain(value), nil, "end")
      end
    end

    def plain(value)
      value == value.round ? value.round.to_s.gsub(/(?<=\d)(?=(\d{3})+\z)/, ",") : format("%g", value)
    end

    def line(from_x, from_y, to_x, to_y, style)
      %(<line x1="#{from_x}" y1="#{from_y}" x2="#{to_x}" y2="#{to_y}" class="#{style}"/>)
    end
  end
end
