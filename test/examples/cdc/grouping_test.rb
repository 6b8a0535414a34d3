# frozen_string_literal: true

require "test_helper"
require_relative "../../../examples/cdc/grouping"

class CdcGroupingTest < Minitest::Test
  RUN = Struct.new(:bytesize)
  FIRST = Cdc::WarmUp::BYTES
  LATER = Cdc::Grouping::BYTES

  def setup
    @grouping = Cdc::Grouping.new
    @groups = []
  end

  def add(*sizes)
    sizes.each { |size| @grouping.add(RUN.new(size)) { |runs, bytes| @groups << [runs.map(&:bytesize), bytes] } }
  end

  def test_the_first_group_is_as_large_as_a_warm_up_and_the_others_are_smaller
    add(FIRST - 1, 1, LATER - 1)
    assert_equal [[[FIRST - 1, 1], FIRST]], @groups
    add(2, LATER)
    assert_equal [[[LATER - 1, 2], LATER + 1], [[LATER], LATER]], @groups.drop(1)
  end

  def test_the_last_group_has_the_runs_that_are_left
    add(1, 2)
    assert_empty @groups
    2.times { @grouping.finish { |runs, bytes| @groups << [runs.map(&:bytesize), bytes] } }
    assert_equal [[[1, 2], 3]], @groups
  end
end
