# frozen_string_literal: true

require "test_helper"

class FoldTest < Minitest::Test
  Workers = Ratomic::Workers
  Partial = Workers.const_get(:Partial)
  FOLDED = Workers.const_get(:FOLDED)

  # Adds what `call` returns to an Array.
  module Collect
    def self.initial
      []
    end

    def self.call(item)
      raise KeyError, "bad" if item == :bad

      item == :drop ? Workers::DROPPED : item
    end

    def self.add(sum, result)
      sum << result
    end

    def self.merge(sum, other)
      sum + other
    end
  end

  def fold(max_failures = 5)
    Workers.const_get(:Fold)::OfObject.new(Collect, max_failures, false)
  end

  def test_the_sum_stands_in_the_place_of_the_first_that_has_a_part_in_it
    slots = fold.call_many([:drop, :bad, 1, 2, :drop])
    assert_equal [Workers::DROPPED, FOLDED, Workers::DROPPED], slots.values_at(0, 3, 4)
    assert_equal ["KeyError", nil], [slots[1].exception_class, slots[1].index]
    assert_equal [[1, 2], 2, {}], [slots[2].sum, slots[2].count, slots[2].omitted]
  end

  def test_failures_beyond_the_number_are_counted_there
    slots = fold(1).call_many([:bad, :bad, 7, :bad])
    assert_instance_of Workers::Failure, slots[0]
    assert_equal [[7], 1, { "KeyError" => 2 }], [slots[1].sum, slots[1].count, slots[1].omitted]
    assert_equal [FOLDED, FOLDED], slots.last(2)
  end

  def test_without_anything_to_tell_there_is_no_sum
    assert_equal [Workers::DROPPED] * 2, fold.call_many(%i[drop drop])
  end

  def test_a_single_item_gives_a_partial_sum_of_one
    assert_equal [[3], 1], fold.call(3).then { |partial| [partial.sum, partial.count] }
    assert_same Workers::DROPPED, fold.call(:drop)
    assert_raises(KeyError) { fold.call(:bad) }
  end

  def test_it_is_known_by_its_callable
    assert_equal fold.key, fold.key
    assert_predicate fold.key, :negative?
  end
end
