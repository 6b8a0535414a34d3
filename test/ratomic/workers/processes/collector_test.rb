# frozen_string_literal: true

require "test_helper"

class CollectorTest < Minitest::Test
  Collector = Ratomic::Workers::Processes::Collector

  def teardown
    GC.enable
  end

  def test_it_tells_whether_the_collector_is_enabled_and_leaves_it_so
    assert_predicate Collector, :enabled?
    refute GC.disable, "it is enabled still"
    refute_predicate Collector, :enabled?
    assert GC.enable, "it is disabled still"
  end
end
