# frozen_string_literal: true

require "test_helper"

class MapNumbersTest < Minitest::Test
  def setup
    @map = Ratomic::Map.new
  end

  def test_increment_and_decrement_as_the_readme_shows
    assert_equal 1, @map.increment("jobs")
    assert_equal 0, @map.decrement("jobs")
    assert_equal(-1, @map.decrement("missing"))
    assert_equal 5, @map.increment("jobs", 5)
  end

  def test_every_pair_of_numbers_gives_what_plus_and_minus_give
    numbers = [0, 1, -1, 7, (2**62) - 1, -(2**62), 2**62, 2**64, -(2**70), 0.0, -0.0, 1.5, 1e300, Float::INFINITY,
               1r / 3, 2i, 1e-320, 0.1]
    numbers.product(numbers) do |value, amount|
      @map[:n] = value
      assert_same_number value + amount, @map.increment(:n, amount)
      assert_same_number value + amount, @map[:n]
      @map[:n] = value
      assert_same_number value - amount, @map.decrement(:n, amount)
      assert_same_number value - amount, @map[:n]
    end
  end

  def test_a_missing_value_counts_as_zero
    [1, 2**64, 1.5, 1r / 3, 2i].each_with_index do |amount, key|
      assert_same_number 0 + amount, @map.increment(key, amount)
      assert_same_number 0 - amount, @map.decrement([key], amount)
    end
  end

  def test_nan_is_a_float
    assert_predicate @map.increment(:n, Float::NAN), :nan?
    assert_predicate @map.increment(:n, 1), :nan?
  end

  def test_sums_beyond_the_native_integer_range_become_bignums
    @map[:n] = (2**62) - 1
    assert_equal 2**62, @map.increment(:n)
    assert_equal (2**62) - 1, @map.decrement(:n)
    @map[:n] = -(2**62)
    assert_equal(-(2**62) - 1, @map.decrement(:n))
  end

  def test_other_numeric_classes_use_their_own_plus_and_minus
    cents = Class.new(Numeric) do
      attr_reader :amount

      def initialize(amount)
        @amount = amount
        super()
      end

      def +(other) = self.class.new(amount + (other.is_a?(self.class) ? other.amount : other))
      def coerce(number) = [self.class.new(number), self]
    end
    assert_equal 250, @map.increment(:sum, cents.new(250)).amount
    assert_equal 300, @map.increment(:sum, cents.new(50)).amount
    assert_equal 301, @map.increment(:sum).amount
    assert Ractor.shareable?(@map[:sum])
  end

  def test_an_amount_that_is_no_number_raises_a_type_error_and_changes_nothing
    @map[:n] = 1
    ["1", nil, :one, [1], Object.new, true].each do |amount|
      %i[n missing].each do |key|
        assert_raises(TypeError) { @map.increment(key, amount) }
        assert_raises(TypeError) { @map.decrement(key, amount) }
      end
    end
    assert_equal({ n: 1 }, @map.to_h)
  end

  def test_a_value_that_is_no_number_raises_a_type_error_and_changes_nothing
    ["text", nil, [1], false, :symbol].each do |value|
      @map[:v] = value
      [1, 1.5, 2**64, 1r].each do |amount|
        error = assert_raises(TypeError) { @map.increment(:v, amount) }
        assert_includes error.message, value.class.name
        assert_raises(TypeError) { @map.decrement(:v, amount) }
      end
      assert_equal value.inspect, @map[:v].inspect
    end
    assert_equal 1, @map.size
  end

  def test_an_error_of_the_addition_is_raised_and_releases_the_claim
    odd = Class.new(Numeric) { def coerce(_other) = raise("no coercion") }.new.freeze
    @map[:n] = 1
    assert_equal "no coercion", assert_raises(RuntimeError) { @map.increment(:n, odd) }.message
    assert_equal 2, within(5) { Thread.new { @map.increment(:n) }.value }
  end

  def test_concurrent_threads_lose_no_increment_of_any_numeric_class
    { 1 => 8_000, 0.5 => 4_000.0, 1r / 2 => 4_000r, 2**62 => 8_000 * (2**62) }.each do |amount, total|
      threads = Array.new(4) { Thread.new { 2_000.times { @map.increment(amount, amount) } } }
      within(60) { threads.each(&:join) }
      assert_same_number total, @map[amount]
    end
  end

  def test_concurrent_ractors_lose_no_increment_of_any_numeric_class
    skip_without_ractors
    ractors = Array.new(4) do
      Ractor.new(@map) do |map|
        2_000.times do |round|
          map.increment(:integer)
          map.increment(:float, 0.5)
          map.decrement("text #{round % 50}")
          map.increment(:rational, 1r / 2) if (round % 10).zero?
        end
      end
    end
    within(60) { ractors.each(&:value) }
    assert_equal [8_000, 4_000.0, 400r], [@map[:integer], @map[:float], @map[:rational]]
    assert_equal [-160] * 50, Array.new(50) { |number| @map["text #{number}"] }
  end

  private

  def assert_same_number(expected, actual)
    assert_equal [expected.class, expected.inspect], [actual.class, actual.inspect]
  end
end
