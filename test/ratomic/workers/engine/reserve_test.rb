# frozen_string_literal: true

require "test_helper"

class ReserveTest < Minitest::Test
  def test_it_is_short_once_at_first_and_each_time_that_somebody_is_needed
    reserve = Ratomic::Workers::Reserve.new
    assert_predicate reserve, :short?
    refute_predicate reserve, :short?
    2.times { reserve.short }
    assert_predicate reserve, :short?
    refute_predicate reserve, :short?
    assert Ractor.shareable?(reserve)
  end
end
