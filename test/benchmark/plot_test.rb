# frozen_string_literal: true

require "test_helper"
require "open3"
require "tmpdir"
require_relative "../../benchmark/plots/numbers"
require_relative "../../benchmark/plots/figures"
require_relative "../../benchmark/plots/bars"
require_relative "../../benchmark/plots/lines"

# benchmark/plot draws what stands in benchmark/results, and nothing else.
class PlotTest < Minitest::Test
  ROOT = File.expand_path("../..", __dir__)
  RESULTS = Dir[File.join(ROOT, "benchmark/results/*/")].sort

  def test_the_committed_pictures_are_those_of_the_committed_numbers
    refute_empty RESULTS
    RESULTS.each do |folder|
      Plots::Figures.new(folder).each do |name, svg|
        assert_equal File.read(File.join(folder, "#{name}.svg")), svg, "benchmark/plot was not run after the results"
      end
    end
  end

  def test_a_line_of_a_results_file
    Dir.mktmpdir do |folder|
      path = File.join(folder, "some.txt")
      File.write(path, <<~TEXT)
        ruby 4.0.5 (2026-05-20 revision 64336ffd0e) +YJIT +PRISM [x86_64-linux]
        ratomic 0.1.0, YJIT on, 2 processors (some), 2026-11-27 22:48 UTC, medians of 5 shuffled rounds

        A title of 3 words
          5 workers, idle: resident memory of each                           0.20 MB
          met    latency of one item / the talk's pool: 0.17x, asked at most 0.2
          one item, there and back                                        1261.50 us
      TEXT
      numbers = Plots::Numbers.new(path)

      assert_equal "ruby 4.0.5, 2 processors, 2026-11-27", numbers.machine
      assert_in_delta 1261.5, numbers["one item, there and back"]
      assert_equal [["5", 0.2]], numbers.scan(/\A(\d+) workers/)
      assert_raises(KeyError) { numbers["two items"] }
    end
  end

  def test_bars_stand_as_high_as_their_values
    svg = Plots::Bars.new("<Title>", ["a & b"], { "one" => [2.0], "two" => [1.0] }, note: "n", unit: "u").to_s
    heights = svg.scan(/<rect [^>]*width="[\d.]+" height="([\d.]+)" fill="#/).map { |found,| Float(found) }.last(2)

    assert_in_delta 2, heights.first / heights.last, 0.01
    assert_includes svg, "&lt;Title&gt;"
    assert_includes svg, "a &amp; b"
  end

  def test_a_line_leaves_out_what_was_not_measured
    svg = Plots::Lines.new("t", [1, 10, 100], { "one" => [1.0, nil, 3.0] }, note: "n", unit: "u", scale: :log).to_s

    assert_equal 2, svg[/points="([^"]+)"/, 1].split.size
    assert_equal 2, svg.scan("<circle").size
  end

  def test_a_folder_that_is_none
    _out, err, status = Open3.capture3(RbConfig.ruby, File.join(ROOT, "benchmark/plot"), "/does/not/exist")

    refute_predicate status, :success?
    assert_includes err, "/does/not/exist is no folder"
  end
end
