# frozen_string_literal: true

require "test_helper"

class ProcessMemoryTest < Minitest::Test
  def test_what_a_process_has_for_its_own_grows_with_what_it_keeps
    before = Ratomic::Workers::Processes::Memory.own
    skip "needs /proc" unless before
    kept = "x" * 40_000_000
    assert_operator Ratomic::Workers::Processes::Memory.own - before, :>, 30_000_000
    assert_equal 40_000_000, kept.bytesize
  end
end
