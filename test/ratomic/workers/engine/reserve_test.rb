# frozen_string_literal: true

require "test_helper"

class ReserveTest < Minitest::Test
  def test_it_is_short_once_at_first_and_each_time_that_somebody_is_needed
    bench = Ratomic::Workers::Reserve.new
    assert_predicate bench, :short?
    refute_predicate bench, :short?
    2.times { bench.short }
    assert_predicate bench, :short?
    refute_predicate bench, :short?
    assert Ractor.shareable?(bench)
  end
end
