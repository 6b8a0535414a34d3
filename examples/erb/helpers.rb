# frozen_string_literal: true

module Pages
  # What the templates may call besides `h`. Pure functions of their arguments, so every worker can use them.
  module Helpers
    # @param number [Integer]
    # @return [String] 1234567 becomes "1,234,567"
    def count(number)
      digits = number.abs.to_s
      digits = digits.reverse.scan(/\d{1,3}/).join(",").reverse if digits.size > 3
      number.negative? ? "-#{digits}" : digits
    end

    # @param cents [Integer]
    # @return [String] 123456 becomes "1,234.56"
    def money(cents)
      whole, rest = cents.abs.divmod(100)
      "#{'-' if cents.negative?}#{count(whole)}.#{format('%02d', rest)}"
    end

    # @return [String] the change in per cent with its sign
    def change(now, before)
      format("%+.1f %%", (now - before) * 100.0 / before)
    end

    # @param number [Integer] 0 to 5
    # @return [String] five stars, that many of them filled
    def stars(number)
      ("★" * number) + ("☆" * (5 - number))
    end

    # Points of an SVG polyline: the values spread over the width, the highest at the top.
    # @return [String] "x,y x,y ..."
    def points(values, width, height, top = values.max)
      step = width.to_f / (values.size - 1)
      values.each_with_index.map do |value, index|
        "#{(index * step).round(1)},#{(height - (value * height.to_f / top)).round(1)}"
      end.join(" ")
    end

    # The arc of a ring chart: how its circle's stroke is dashed, for circles with a circumference of 100.
    # @return [Array<Array(Object, Float, Float)>] entry, length and offset of each arc
    def arcs(entries)
      total = entries.sum { |entry| entry[:value] }.to_f
      turned = 25.0
      entries.map do |entry|
        length = entry[:value] * 100 / total
        arc = [entry, length.round(2), turned.round(2)]
        turned -= length
        arc
      end
    end
  end
end
