# frozen_string_literal: true

require "test_helper"
require "support/worker_callables"

class AdviceTest < Minitest::Test
  include WorkerCallables

  Advice = Ratomic::Workers::Processes::Advice
  CALLS = Ratomic::Map.new

  # Counts in its own variables.
  class Counting
    def initialize(count)
      @count = count
      @maps = { here: [CALLS, CALLS] }
    end

    def call(_item)
      @count.increment
    end
  end

  # Counts in a constant.
  module Naming
    def self.call(item)
      CALLS.increment(item)
    end
  end

  def test_a_callable_that_marshal_can_write_is_copied
    advice = Advice.of(Double)
    assert_equal({ way: :copied, why: "Marshal can write it", own: [] }, advice)
    assert_equal ["in worker processes: one that was forked before its first dispatch gets a copy of it " \
                  "(Marshal can write it)"], Advice.lines(advice)
  end

  def test_for_a_callable_without_a_copy_processes_are_forked_again
    advice = Advice.of(->(item) { item })
    assert_equal [:forked, []], advice.values_at(:way, :own)
    assert_match(/is forked anew \(it cannot be copied: it \(an instance of Proc\)\)/, Advice.lines(advice)[0])
  end

  def test_objects_of_one_process_are_named_once_with_their_path
    advice = Advice.of(Counting.new(Ratomic::Counter.new))
    assert_equal ["@count (Ratomic::Counter)", "@maps[:here][0] (Ratomic::Map)"], advice[:own]
    assert_equal 3, Advice.lines(advice).size
    assert_match(/\A  @count \(Ratomic::Counter\): each process has its own copy after/, Advice.lines(advice)[1])
    assert_equal ["it (Ratomic::Queue)"], Advice.of(Ratomic::Queue.new(1))[:own]
  end

  def test_objects_that_the_code_names_are_found_too
    skip "needs compiled code to read" unless defined?(RubyVM::InstructionSequence)
    count = Ratomic::Counter.new
    assert_equal ["CALLS (Ratomic::Map)"], Advice.of(Naming)[:own]
    assert_equal ["count (Ratomic::Counter)"], Advice.of(->(_) { count.increment })[:own]
    inner = proc { count.read }
    holder = Struct.new(:block) { def call(_) = block.call }
    assert_equal ["count (Ratomic::Counter)"], Advice.of(holder.new(inner))[:own]
  end

  def test_the_counts_of_a_pipeline_are_sent_to_the_parent
    assert_equal [], Advice.of(Ratomic::Workers.pipeline(Double, Double))[:own]
  end
end
