# frozen_string_literal: true

require "test_helper"
require "stringio"
require_relative "../../../examples/cdc/cdc"
require_relative "../../../examples/cdc/pipeline"
require_relative "../../../examples/cdc/print_runs"
require_relative "../support/pgoutput"

class CdcPipelineTest < Minitest::Test
  include Pgoutput

  # Holds up the workers until the thread that reads has counted something by itself.
  class Gated < Cdc::PrintRuns
    def initialize(relations, gate)
      @gate = gate
      super(relations)
    end

    def count_all(runs)
      if Thread.current[:cdc_reader]
        @gate.try_push(true)
      elsif (open = @gate.pop(timeout: 20))
        @gate.try_push(open)
      end
      super
    end
  end

  def test_the_thread_that_reads_counts_too_and_the_order_stays_that_of_the_stream
    intake = Cdc::Intake.new
    gate = Ratomic::Queue.new(1)
    rows = StringIO.new
    result = capture_io do
      within(40) { assert count(intake, Gated.new(intake.relations, gate), rows) }
    end

    ids = rows.string.scan(/"row": \{"id": (\d+),/).flatten.map(&:to_i)
    assert_equal (1..COUNT).to_a, ids
    assert_equal 1, gate.size, "the thread that reads has counted nothing"
    assert_match(/^#{COUNT} changes in #{COUNT / EACH} transactions, /, result.last)
  end

  COUNT = 1200
  EACH = 400
  TEXT = "x" * 4096
  private_constant :COUNT, :EACH, :TEXT

  private

  # Some megabytes, in three transactions.
  def count(intake, callable, rows)
    Thread.current[:cdc_reader] = true
    Cdc::Pipeline.open(callable, 1, rows: rows) do |pipeline|
      (1..COUNT).each_slice(EACH).with_index do |ids, number|
        messages = ids.map { |id| insert(10, id, TEXT) }
        bytes = stream(*transaction(*(table if number.zero?), *messages, xid: number + 1))
        intake.feed(bytes) { |event| pipeline.push(event) }
      end
      pipeline.report(intake, nil)
    end
  ensure
    Thread.current[:cdc_reader] = nil
  end

  def table
    relation(10, "notes", { "id" => :int4, "text" => :text })
  end
end
