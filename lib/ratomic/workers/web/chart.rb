# frozen_string_literal: true

module Ratomic
  module Workers
    class Web
      # A small chart of the last minutes, as SVG in the page: a line with the area under it, and the highest value as
      # text.
      class Chart
        include Html

        WIDTH = 300
        HEIGHT = 60

        # @param title [String]
        # @param points [Array<Array(Float, Float)>] age in seconds and value; the value is nil where nothing was
        #   measured
        # @param reach [Integer] seconds that the chart covers
        # @param show [Proc] formats a value for people
        def initialize(title, points, reach, &show)
          @title = title
          @points = points
          @reach = reach
          @show = show
        end

        # @return [Html::Markup]
        def to_html
          values = @points.filter_map(&:last)
          now = @points.empty? || @points[-1][1].nil? ? "none now" : "#{@show.call(@points[-1][1])} now"
          now = "#{now}, at most #{@show.call(values.max)}" unless values.empty?
          tag(:figure, tag(:figcaption, tag(:b, @title), " ", now), picture(values.max.to_f, "#{@title}: #{now}"),
              class: "chart")
        end

        private

        def picture(highest, words)
          tag(:svg, lines(highest), viewBox: "0 0 #{WIDTH} #{HEIGHT}", preserveAspectRatio: "none", role: "img",
                                    aria_label: words)
        end

        # Draws one line for each run of points that have values, so that a gap stays visible.
        def lines(highest)
          scale = highest.positive? ? (HEIGHT - 2) / highest : 0
          stretches = @points.slice_when { |one, other| one[1].nil? || other[1].nil? }.reject { |run| run[0][1].nil? }
          stretches.map { |run| line(run.map { |age, value| [x(age), (HEIGHT - 1 - (value * scale)).round(1)] }) }
        end

        def line(places)
          places << [places[0][0] + 2, places[0][1]] if places.size == 1
          area = [[places[0][0], HEIGHT], *places, [places[-1][0], HEIGHT]]
          [tag(:polygon, points: text(area)), tag(:polyline, points: text(places))]
        end

        def x(age)
          (WIDTH * (1 - age.fdiv(@reach))).clamp(0.0, WIDTH.to_f).round(1)
        end

        def text(places)
          places.each_with_object(+"") { |(x, y), text| text << "#{x},#{y} " }.chomp(" ")
        end
      end
    end
  end
end
