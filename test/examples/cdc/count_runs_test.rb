# frozen_string_literal: true

require "test_helper"
require_relative "../../../examples/cdc/cdc"
require_relative "../../../examples/cdc/print_runs"
require_relative "../support/pgoutput"

class CdcCountRunsTest < Minitest::Test
  include Pgoutput

  def setup
    bytes = stream(*transaction(table, insert(10, 1, "a"), update(10, 1, "b"), xid: 7),
                   *transaction(insert(10, "x", "c"), insert(10, 2, "c"), xid: 8), *transaction(truncate(10), xid: 9))
    @intake = Cdc::Intake.new
    @runs = @intake.feed(bytes).grep(Cdc::Run)
  end

  def test_runs_together_are_counted_as_one_by_one
    [Cdc::CountRuns, Cdc::PrintRuns].each do |kind|
      callable = kind.new(@intake.relations)
      together = callable.call_many(@runs)

      assert_equal 3, together.size
      assert_equal facts(callable, @runs.map { |run| callable.call(run) }), facts(callable, together)
      assert_equal 4, facts(callable, together).first
      assert_equal facts(callable, together), facts(callable, callable.call_many(@runs)) # it keeps nothing
    end
  end

  def test_a_reduction_merges_them_whatever_the_chunks
    callable = Cdc::PrintRuns.new(@intake.relations)
    pool = Ratomic::Workers::Pool.new(size: 2)
    sum = within(30) { pool.reduce(@runs * 20, callable, min_batch: 0).sum }

    assert_equal facts(callable, @runs.map { |run| callable.call(run) } * 20), facts(callable, [sum])
  ensure
    pool&.shutdown(timeout: 10)
  end

  private

  def facts(callable, parts)
    sum = parts.reduce(callable.initial) { |merged, part| callable.merge(merged, part) }
    [sum.changes, sum.tally.bytes, sum.tally.counts, sum.rejected.map(&:to_s),
     (sum.text if sum.is_a?(Cdc::PrintRuns::Printed))]
  end

  def table
    relation(10, "notes", { "id" => :int4, "text" => :text })
  end
end
