# frozen_string_literal: true

require "test_helper"
require_relative "../../../examples/cdc/cdc"
require_relative "../../../examples/cdc/warm_up"

class CdcWarmUpTest < Minitest::Test
  # GC.disable tells whether the collector was off before.
  def test_the_collector_is_off_in_the_block_and_on_behind_it
    off = nil

    assert_equal 3, Cdc::WarmUp.run { (off = GC.disable) && 3 }
    assert off
    refute GC.enable, "still off"
  end

  def test_rows_of_megabytes_are_counted_with_the_collector_on
    off = nil
    Cdc::WarmUp.run((2 * Cdc::WarmUp::BYTES) + 1) { off = GC.disable }

    refute off
  ensure
    GC.enable
  end

  def test_it_is_on_again_when_the_block_raises
    assert_raises(IndexError) { Cdc::WarmUp.run { raise IndexError } }
    refute GC.enable, "still off"
  end

  def test_where_it_was_off_it_stays_off
    GC.disable
    Cdc::WarmUp.run { nil }

    assert GC.enable, "on again"
  ensure
    GC.enable
  end
end
