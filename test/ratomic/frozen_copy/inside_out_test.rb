# frozen_string_literal: true

require "test_helper"
require "set"

class InsideOutTest < Minitest::Test
  InsideOut = Ratomic::FrozenCopy::InsideOut

  def visited(object)
    seen = []
    InsideOut.new { |inner| seen << inner }.through(object)
    seen
  end

  def test_elements_of_a_set_come_before_it_and_nothing_else_comes
    inner = Set[text = +"a"]
    outer = Set[list = [inner], 1]
    seen = visited({ key: [outer, +"other"] }).grep_v(Hash) # a Set of older Rubies has one
    assert_equal [text, inner, list, 1, outer].map(&:inspect), seen.map(&:inspect)
  end

  def test_a_cycle_ends_and_one_through_a_set_is_refused
    ring = [Set[1]]
    ring << ring
    assert_includes visited(ring), ring[0]
    through = Set.new.compare_by_identity
    through << [through]
    assert_raises(Ratomic::ShareableError) { visited([through]) }
  end

  def test_an_exception_that_was_raised_ends_it
    error = assert_raises(KeyError) { {}.fetch(:key) }
    assert_raises(InsideOut::Exceptional) { visited([Set[1], { error: error }]) }
    assert_empty visited([KeyError.new("never raised")])
  end
end
