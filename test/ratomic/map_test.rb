# frozen_string_literal: true

require "test_helper"
require "support/native_contract"

# Reading and writing single entries. See map/ for keys, blocks, numbers, buckets, snapshots and sharing.
class MapTest < Minitest::Test
  include NativeContract

  def setup
    @map = Ratomic::Map.new
  end

  # An interrupt that came while an operation looked its class up, the first time, was a fatal error.
  def test_no_operation_asks_ruby_for_a_native_class
    asked = ruby!(<<~RUBY)
      require "ratomic"
      asked = []
      TracePoint.new(:c_call) { |trace| asked << trace.method_id if trace.method_id == :const_get }.enable do
        map = Ratomic::Map.new
        map.update({ "a" => [+"1"] })
        map.set("b", 1, expires_in: 9)
        map.each_pair { nil }
        Ratomic::Queue.new(1).push([Ratomic::Counter.new])
      end
      p asked
    RUBY
    assert_equal "[]", asked.strip
  end

  def test_it_works_as_the_readme_shows
    @map["mike"] = 123
    assert_equal 123, @map["mike"]
    assert_equal true, @map.key?("mike")
    assert_equal 0, @map.fetch("missing", 0)
    assert_equal 0, @map.fetch_or_store("count") { 0 }
    assert_equal 124, @map.compute("mike") { |value| value + 1 }
    assert_equal 125, @map.upsert("mike", 1) { |value| value + 1 }
    assert_equal 126, @map.fetch_and_modify("mike") { |value| value + 1 }
    assert_equal 126, @map.delete("mike")
    assert_equal 1, @map.length
    refute_predicate @map, :empty?
    assert_predicate @map.clear, :empty?
  end

  def test_aliases_do_the_same
    assert_equal 1, @map.set(:a, 1)
    assert_equal 2, (@map[:b] = 2)
    assert_equal [1, 2], [@map.get(:a), @map[:b]]
    assert_equal [true] * 3, [@map.key?(:a), @map.include?(:a), @map.member?(:a)]
    assert_equal [2, 2], [@map.size, @map.length]
    assert_equal "#<Ratomic::Map 2 entries>", @map.inspect
  end

  def test_a_missing_value_is_nil
    assert_nil @map[:a]
    assert_nil @map.get(:a)
    assert_nil @map.delete(:a)
    assert_equal false, @map.key?(:a)
  end

  def test_nil_and_false_can_be_stored
    @map[:nil] = nil
    @map[:false] = false
    assert_equal [true, true, nil, false, 2], [@map.key?(:nil), @map.key?(:false), @map[:nil], @map[:false], @map.size]
    assert_nil @map.fetch(:nil, 1)
    assert_nil(@map.fetch_or_store(:nil) { flunk "there is a value" })
    assert_equal false, @map.delete(:false)
    assert_equal 1, @map.size
  end

  def test_fetch_prefers_the_value_then_the_block_then_the_default
    @map[:a] = 1
    assert_equal 1, @map.fetch(:a, 2)
    assert_equal(1, @map.fetch(:a) { flunk "there is a value" })
    assert_equal 2, @map.fetch(:b, 2)
    assert_equal(:b, @map.fetch(:b) { |key| key })
    assert_nil @map.fetch(:b, nil)
    refute @map.key?(:b)
  end

  def test_a_missing_key_is_shown_as_a_hash_shows_it_whatever_its_inspect_returns
    [5, nil, :odd, "é".encode("UTF-16LE"), "\xFF".b].each do |shown|
      key = Object.new
      key.define_singleton_method(:inspect) { shown }
      hash = assert_raises(KeyError) { {}.fetch(key) }
      error = assert_raises(KeyError) { @map.fetch(key) }
      assert_equal [hash.message, @map, key], [error.message, error.receiver, error.key]
    end
  end

  def test_fetch_without_a_value_raises_a_key_error_with_receiver_and_key
    error = assert_raises(KeyError) { @map.fetch("missing") }
    assert_same @map, error.receiver
    assert_equal "missing", error.key
    assert_match(/key not found: "missing"/, error.message)
  end

  def test_the_block_of_fetch_may_write_the_key
    assert_equal(5, @map.fetch(:a) { |key| @map[key] = 5 })
    assert_equal 5, @map[:a]
  end

  def test_compare_and_set_stores_only_over_the_expected_value
    assert_equal false, @map.compare_and_set(:a, 1, 2)
    assert_equal true, @map.compare_and_set(:a, nil, 1), "a missing value counts as nil"
    assert_equal true, @map.compare_and_set(:a, 1, 2)
    assert_equal false, @map.compare_and_set(:a, 1, 3)
    assert_equal 2, @map[:a]
  end

  def test_compare_and_set_compares_by_equality_and_not_by_identity
    @map[:a] = "text"
    assert_equal true, @map.compare_and_set(:a, +"text", [1])
    assert_equal true, @map.compare_and_set(:a, [1.0], 10**30), "[1] == [1.0]"
    assert_equal true, @map.compare_and_set(:a, 10**30, nil)
    assert_nil @map[:a]
  end

  def test_an_error_of_the_comparison_comes_through_and_changes_nothing
    grumpy = Class.new { def ==(_other) = raise("no comparison") }.new
    @map[:a] = grumpy.freeze
    error = assert_raises(RuntimeError) { @map.compare_and_set(:a, 1, 2) }
    assert_equal "no comparison", error.message
    assert_same grumpy, @map[:a]
  end

  def test_one_of_many_concurrent_calls_of_compare_and_set_succeeds
    @map[:a] = 0
    wins = Array.new(4) { Thread.new { (0...2_000).count { |value| @map.compare_and_set(:a, value, value + 1) } } }
    total = wins.sum(&:value)
    assert_equal total, @map[:a]
    assert_operator total, :>, 0
  end

  def test_a_wrong_number_of_arguments_is_an_argument_error
    assert_raises(ArgumentError) { Ratomic::Map.new(1) }
    assert_raises(ArgumentError) { @map.get }
    assert_raises(ArgumentError) { @map.set(1) }
    assert_raises(ArgumentError) { @map.fetch }
    assert_raises(ArgumentError) { @map.fetch(1, 2, 3) }
    assert_raises(ArgumentError) { @map.increment }
    assert_raises(ArgumentError) { @map.increment(1, 2, 3) }
  end

  def test_a_hundred_thousand_entries_can_be_added_and_deleted
    100_000.times { |number| @map[number] = -number }
    assert_equal 100_000, @map.size
    assert((0...100_000).all? { |number| @map[number] == -number })
    100_000.times { |number| assert_equal(-number, @map.delete(number)) if number.even? }
    assert_equal 50_000, @map.size
    assert_nil @map[500]
    assert_equal(-501, @map[501])
  end

  private

  def build
    Ratomic::Map.new
  end

  def build_of(subclass)
    subclass.new
  end

  def use(map)
    map["used"] = [1]
    assert_equal [1], map["used"]
    map
  end
end
