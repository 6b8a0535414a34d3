# frozen_string_literal: true

require "test_helper"
require "ratomic/workers/web"

class ChartTest < Minitest::Test
  def chart(*points)
    Ratomic::Workers::Web::Chart.new("rate", points, 100) { |value| "#{value} a second" }.to_html.to_s
  end

  def test_the_newest_is_on_the_right_and_the_highest_on_top
    text = chart([100, 0.0], [50, 4.0], [0, 2.0])
    assert_includes text, '<polyline points="0.0,59.0 150.0,1.0 300.0,30.0"></polyline>'
    assert_includes text, '<polygon points="0.0,60 0.0,59.0 150.0,1.0 300.0,30.0 300.0,60"></polygon>'
    assert_includes text, "<figcaption><b>rate</b> 2.0 a second now, at most 4.0 a second</figcaption>"
  end

  def test_where_there_was_nothing_is_a_gap
    text = chart([100, 1.0], [80, 1.0], [60, nil], [40, 1.0])
    assert_equal ["0.0,1.0 60.0,1.0", "180.0,1.0 182.0,1.0"], text.scan(/<polyline points="([^"]*)"/).flatten
  end

  def test_without_values_it_says_so
    assert_includes chart([100, nil]), "</b> none now</figcaption>"
    assert_includes chart([100, 2.0], [50, nil]), "</b> none now, at most 2.0 a second</figcaption>"
    refute_includes chart, "polyline"
    assert_includes chart([10, 0.0]), "points=\"270.0,59.0"
  end
end
