# frozen_string_literal: true

require "test_helper"

class ExperimentalTest < Minitest::Test
  def test_the_setting_is_off_in_the_block_and_back_after_it
    skip_without_ractors
    before = Warning[:experimental]
    Warning[:experimental] = true
    assert_equal(false, Ratomic::Experimental.quietly { Warning[:experimental] })
    assert Warning[:experimental]
    assert_raises(IOError) { Ratomic::Experimental.quietly { raise IOError } }
    assert Warning[:experimental]
    Warning[:experimental] = false
    Ratomic::Experimental.quietly { nil }
    refute Warning[:experimental]
  ensure
    Warning[:experimental] = before
  end
end
