# frozen_string_literal: true

require "test_helper"

class FiguresTest < Minitest::Test
  def figures
    Ratomic::Workers::Figures
  end

  def test_times_are_shown_in_a_unit_that_fits
    assert_equal ["-", "0 us", "12 us", "3.4 ms", "5.6 s", "59.9 s", "1:00", "1:02:03"],
                 [nil, 0, 0.000012, 0.0034, 5.6, 59.9, 59.96, 3723].map { |seconds| figures.time(seconds) }
  end

  def test_counts_are_shown_with_separated_thousands
    assert_equal ["0", "7", "2.5", "10", "1'234", "1'234'567"],
                 [0, 7, 2.5, 9.96, 1234, 1_234_567.2].map { |number| figures.count(number) }
  end

  def test_a_share_is_shown_as_100_per_cent_only_when_nothing_is_missing
    assert_equal %w[0% 99% 100%], [0.0, 0.9999, 1.0].map { |share| figures.percent(share) }
  end

  # `ratomic top` loads it without the native extension.
  def test_it_can_be_loaded_alone
    path = File.expand_path("../../../../lib/ratomic/workers/monitoring/figures.rb", __dir__)
    out = ruby!("load ARGV[0]; print Ratomic::Workers::Figures.time(1.5), Ratomic.constants", path)
    assert_equal "1.5 s[:Workers]", out
  end
end
