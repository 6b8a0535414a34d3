# frozen_string_literal: true

require "test_helper"

# What both do with objects that are hard to copy or to freeze is in the test of Transfer.
class ResultFreezerTest < Minitest::Test
  ResultFreezer = Ratomic::Workers::ResultFreezer

  # Has something in it that no other Ractor may have.
  class Holder
    def initialize(inner)
      @inner = inner
    end
  end

  def test_results_are_frozen_where_they_stand
    text = +"text"
    results = [1, text, { list: [text] }]
    sealed = ResultFreezer.seal(results, 0)
    assert Ractor.shareable?(sealed)
    assert_same text, sealed[1]
  end

  def test_a_result_that_cannot_be_frozen_does_not_affect_the_others
    file = File.open(__FILE__)
    sealed = ResultFreezer.seal([+"a", Holder.new(file), Thread.current, +"b"], 10)
    assert_equal %w[a b], sealed.values_at(0, 3)
    assert_equal [11, 12], sealed[1..2].map(&:index)
    assert_match(/@inner/, sealed[1].message)
    refute_predicate file, :frozen?
  ensure
    file.close
  end
end
