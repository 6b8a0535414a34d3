# frozen_string_literal: true

require "test_helper"
require "support/native_contract"

class CounterTest < Minitest::Test
  include NativeContract

  MAX = (2**63) - 1
  MIN = -(2**63)

  def test_it_works_as_the_readme_shows
    counter = Ratomic::Counter.new
    assert_equal 0, counter.read
    assert_equal 1, counter.increment(1)
    assert_equal 6, counter.increment(5)
    assert_equal 5, counter.decrement(1)
    assert_equal 4, counter.decrement(1)
    assert_equal [4, 4, 4], [counter.read, counter.to_i, counter.value]
    refute_predicate counter, :zero?
  end

  def test_it_starts_at_the_given_number
    assert_equal 42, Ratomic::Counter.new(42).read
    assert_predicate Ratomic::Counter.new(0), :zero?
    assert_equal "#<Ratomic::Counter -7>", Ratomic::Counter.new(-7).inspect
  end

  def test_one_is_the_default_step_and_a_negative_step_goes_the_other_way
    counter = Ratomic::Counter.new
    assert_equal 1, counter.increment
    assert_equal 0, counter.decrement
    assert_equal(-3, counter.increment(-3))
    assert_equal 0, counter.decrement(-3)
    assert_equal 0, counter.increment(0)
  end

  def test_reset_returns_the_old_value
    counter = Ratomic::Counter.new(9)
    assert_equal 9, counter.reset
    assert_equal 0, counter.reset(5)
    assert_equal 5, counter.read
  end

  def test_compare_and_set_changes_only_the_expected_value
    counter = Ratomic::Counter.new(1)
    assert_equal true, counter.compare_and_set(1, 2)
    assert_equal false, counter.compare_and_set(1, 3)
    assert_equal 2, counter.read
  end

  def test_both_ends_of_64_bits_can_be_reached_exactly
    counter = Ratomic::Counter.new(MAX - 1)
    assert_equal MAX, counter.increment
    assert_equal MAX, counter.reset(MIN + 1)
    assert_equal MIN, counter.decrement
    assert_equal(-1, counter.increment(MAX))
    assert_equal MAX, counter.decrement(MIN), "-1 - MIN, although -MIN itself does not fit"
    assert_equal true, counter.compare_and_set(MAX, MIN)
    assert_equal MIN, counter.read
  end

  def test_leaving_64_bits_raises_a_range_error_and_changes_nothing
    [[MAX, :increment, 1], [MAX, :decrement, -1], [MIN, :decrement, 1], [MIN, :increment, -1], [MAX, :increment, MAX],
     [MIN, :increment, MIN], [0, :decrement, MIN]].each do |start, change, step|
      counter = Ratomic::Counter.new(start)
      error = assert_raises(RangeError) { counter.public_send(change, step) }
      assert_includes error.message, start.to_s
      assert_equal start, counter.read
    end
  end

  def test_a_number_beyond_64_bits_raises_a_range_error_and_changes_nothing
    counter = Ratomic::Counter.new(3)
    [MAX + 1, MIN - 1, 10**40].each do |number|
      assert_raises(RangeError) { Ratomic::Counter.new(number) }
      assert_raises(RangeError) { counter.increment(number) }
      assert_raises(RangeError) { counter.decrement(number) }
      assert_raises(RangeError) { counter.reset(number) }
      assert_raises(RangeError) { counter.compare_and_set(3, number) }
      assert_raises(RangeError) { counter.compare_and_set(number, 3) }
    end
    assert_equal 3, counter.read
  end

  def test_a_wrong_argument_is_named_with_what_was_given
    counter = Ratomic::Counter.new
    { "initial must be an Integer, not nil" => -> { Ratomic::Counter.new(nil) },
      "n must be an Integer, not 1.5" => -> { counter.increment(1.5) },
      "to must be an Integer, not \"1\"" => -> { counter.reset("1") },
      "expected must be an Integer, not :one" => -> { counter.compare_and_set(:one, 1) },
      "new must fit into 64 bits, not #{MAX + 1}" => -> { counter.compare_and_set(1, MAX + 1) },
      "n must fit into 64 bits, not #{MIN - 1}" => -> { counter.decrement(MIN - 1) } }.each do |message, wrong|
      assert_equal message, assert_raises(TypeError, RangeError, &wrong).message
    end
  end

  def test_anything_but_an_integer_raises_a_type_error_and_changes_nothing
    counter = Ratomic::Counter.new(3)
    [1.0, 1.5, "1", nil, :one, 1r, true, Object.new, [1]].each do |other|
      assert_raises(TypeError) { Ratomic::Counter.new(other) }
      assert_raises(TypeError) { counter.increment(other) }
      assert_raises(TypeError) { counter.decrement(other) }
      assert_raises(TypeError) { counter.reset(other) }
      assert_raises(TypeError) { counter.compare_and_set(3, other) }
    end
    assert_equal 3, counter.read
  end

  def test_an_object_that_only_converts_to_an_integer_is_refused_and_not_asked
    asked = false
    other = Object.new
    other.define_singleton_method(:to_int) { (asked = true) && 1 }
    assert_raises(TypeError) { Ratomic::Counter.new.increment(other) }
    refute asked
  end

  def test_a_wrong_number_of_arguments_is_an_argument_error
    counter = Ratomic::Counter.new
    assert_raises(ArgumentError) { Ratomic::Counter.new(1, 2) }
    assert_raises(ArgumentError) { counter.increment(1, 2) }
    assert_raises(ArgumentError) { counter.read(1) }
    assert_raises(ArgumentError) { counter.compare_and_set(1) }
  end

  def test_threads_lose_no_change_and_each_gets_a_value_of_its_own
    counter = Ratomic::Counter.new
    seen = Array.new(4) { Thread.new { Array.new(5_000) { counter.increment } } }.flat_map(&:value)
    assert_equal (1..20_000).to_a, seen.sort
    assert_equal 20_000, counter.read
  end

  def test_ractors_lose_no_change_and_each_gets_a_value_of_its_own
    skip_without_ractors
    counter = Ratomic::Counter.new
    ractors = Array.new(4) { Ractor.new(counter) { |shared| Array.new(5_000) { shared.increment } } }
    assert_equal (1..20_000).to_a, ractors.flat_map(&:value).sort
    assert_equal 20_000, counter.read
  end

  def test_one_of_many_threads_that_compare_and_set_the_same_value_succeeds
    skip_without_ractors
    counter = Ratomic::Counter.new
    wins = Array.new(4) do
      Ractor.new(counter) { |shared| (0...2_000).count { |value| shared.compare_and_set(value, value + 1) } }
    end
    total = wins.sum(&:value)
    assert_operator total, :>, 0
    assert_equal total, counter.read
  end

  private

  def build
    Ratomic::Counter.new
  end

  def build_of(subclass)
    subclass.new(0)
  end

  def use(counter)
    before = counter.read
    assert_equal before + 1, counter.increment
    counter.read
  end

  def test_numbers_at_the_ends_of_64_bits
    ends = [(2**62) - 1, 2**62, (2**63) - 1, -(2**62), -(2**62) - 1, -(2**63)]
    assert_equal ends, (ends.map { |number| Ratomic::Counter.new(number).value })
    [2**63, -(2**63) - 1, (2**64) - 1, 2**64, (2**64) + 1, -(2**64), 3 * (2**63), 2**100, -(2**100)].each do |number|
      error = assert_raises(RangeError, number.to_s) { Ratomic::Counter.new(number) }
      assert_equal "initial must fit into 64 bits, not #{number}", error.message
    end
  end
end
