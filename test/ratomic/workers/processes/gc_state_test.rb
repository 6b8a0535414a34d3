# frozen_string_literal: true

require "test_helper"

class GcStateTest < Minitest::Test
  GcState = Ratomic::Workers::Processes::GcState

  def teardown
    GC.enable
  end

  def test_it_tells_whether_the_collector_is_enabled_and_leaves_it_so
    assert_predicate GcState, :enabled?
    refute GC.disable, "it is enabled still"
    refute_predicate GcState, :enabled?
    assert GC.enable, "it is disabled still"
  end
end
