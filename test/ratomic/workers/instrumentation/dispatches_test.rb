# frozen_string_literal: true

require "test_helper"
require "ratomic/workers/instrumentation/dispatches"

class DispatchesTest < Minitest::Test
  Dispatches = Ratomic::Workers::Instrumentation::Dispatches
  Told = Struct.new(:name, :dispatch, :failure) do
    def [](key) = key == :failure ? failure : nil
  end

  def setup
    @dispatches = Dispatches.new
  end

  def test_failures_are_counted_until_the_dispatch_ends
    @dispatches[Told.new(:dispatched, 1)]
    @dispatches[Told.new(:failed, 1, :a)]
    @dispatches[Told.new(:failed, 1, :b)]
    @dispatches[Told.new(:failed, 2, :c)]
    known = @dispatches[Told.new(:completed, 1)]
    assert_equal [2, :a, :dispatched], [known.failures, known.first_failure, known.event.name]
  end

  def test_a_dispatch_ends_once
    assert @dispatches[Told.new(:cancelled, 1)]
    assert_nil @dispatches[Told.new(:failed, 1, :late)]
    assert_nil @dispatches[Told.new(:completed, 1)]
  end

  def test_events_without_a_dispatch_are_ignored
    assert_nil @dispatches[Told.new(:worker_started)]
  end

  def test_only_the_newest_are_kept
    (Dispatches::MAX_DISPATCHES + 10).times { |number| @dispatches[Told.new(:dispatched, number)] }
    assert_equal Dispatches::MAX_DISPATCHES, @dispatches.size
  end
end
