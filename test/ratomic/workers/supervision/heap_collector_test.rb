# frozen_string_literal: true

require "test_helper"

class HeapCollectorTest < Minitest::Test
  HeapCollector = Ratomic::Workers::HeapCollector

  def setup
    @collector = HeapCollector.new
  end

  def test_it_collects_after_so_many_heaps
    collections = 0
    @collector.define_singleton_method(:start_gc) { collections += 1 }
    (HeapCollector::MIN_HEAPS - 1).times { @collector.ractor_ended }
    assert_equal 0, collections
    2.times { @collector.ractor_ended }
    assert_equal 1, collections
  end

  # As long as a collection is not given a processor, no time of the program is lost by it.
  def test_a_collection_that_had_to_wait_does_not_make_the_pause_longer
    slept = 0.25
    @collector.define_singleton_method(:start_gc) { sleep slept }
    HeapCollector::MIN_HEAPS.times { @collector.ractor_ended }
    pause_end = @collector.instance_variable_get(:@pause_end)
    assert_operator pause_end, :>, 0
    assert_operator pause_end - Ratomic::Workers::Clock.now, :<, slept
  end
end
