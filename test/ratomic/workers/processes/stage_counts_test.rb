# frozen_string_literal: true

require "test_helper"
require "support/worker_callables"

class StageCountsTest < Minitest::Test
  include WorkerCallables

  Workers = Ratomic::Workers
  Counts = Workers::Processes::StageCounts

  def entered(pipeline)
    pipeline.stats.map { |stage| stage[:entered] }
  end

  def test_counts_of_a_pipeline_in_the_child_are_added_in_the_parent
    here, there = Array.new(2) { Workers.pipeline(Double, Double) }
    before = Counts.of(here)
    3.times { |item| here.call(item) }
    changes = Counts.changes(before)
    assert_equal 2, changes.size
    there.call(1)
    Counts.add(there, changes)
    assert_equal [[3, 3], [4, 4]], [entered(here), entered(there)]
  end

  def test_only_counts_since_the_last_report_are_sent
    pipeline = Workers.pipeline(Double)
    pipeline.call(1)
    before = Counts.of(pipeline)
    pipeline.call(2)
    assert_equal 1, Counts.changes(before)[0][0]
    assert_equal [0], Counts.changes(Counts.of(pipeline)).flatten.uniq
  end

  # Calls the item.
  module Near
    def self.call(_item)
      yield
    end
  end

  def test_a_pipeline_is_found_inside_its_wrappers
    pipeline = Workers.pipeline(Double)
    around = Workers.const_get(:Around).wrap(pipeline, Near)
    fold = Workers.const_get(:Fold).new(around, 10, false)
    [around, fold].each { |callable| assert_equal pipeline.stage_metrics, Counts.of(callable).keys }
    Counts.add(fold, [[5, 0, 0, 0, 0]])
    assert_equal [5], entered(pipeline)
  end

  def test_other_callables_have_no_counts
    assert_nil Counts.of(Double)
    assert_nil Counts.changes(nil)
    assert_nil Counts.add(Double, nil)
  end
end
