# frozen_string_literal: true

require "test_helper"
require_relative "../../benchmark/crates/yardsticks"

# The table of benchmark/results/crates.txt.
class CratesTest < Minitest::Test
  RESULTS = File.expand_path("../../benchmark/results/crates.txt", __dir__)

  def test_a_ratio_is_the_median_of_the_rounds_ratios
    rounds = [[100, 200], [100, 50], [100, 120]].map do |ours, theirs|
      [figure("get", 1, "Table", ours), figure("get", 1, "DashMap", theirs), figure("set", 2, "Table", ours)]
    end
    assert_equal ["Table / DashMap                     1 thread 2 threads 4 threads",
                  "  get                                   1.20"], Crates.table("Table", "DashMap", rounds)
  end

  def test_the_committed_file_compares_with_all_crates
    text = File.read(RESULTS)
    assert_match(/^rustc .+ processors \(.+\), \d{4}-\d\d-\d\d/, text)
    Crates::COMPARISONS.each do |ours, theirs|
      assert_match(%r{^#{ours} / #{Crates::TITLES.fetch(theirs, theirs)} .*\n(  .+ \d+\.\d\d\n)+}, text)
    end
  end

  private

  def figure(*members)
    Crates::Figure.new(*members)
  end
end
