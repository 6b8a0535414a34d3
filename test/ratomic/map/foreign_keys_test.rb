# frozen_string_literal: true

require "test_helper"
require "support/odd_keys"

# Keys whose `hash` or `eql?` misbehave. The map calls them with nothing locked.
class MapForeignKeysTest < Minitest::Test
  Hooked = OddKeys::Hooked
  CALLS = {
    get: ->(map, key) { map[key] }, set: ->(map, key) { map[key] = 2 }, key?: ->(map, key) { map.key?(key) },
    delete: ->(map, key) { map.delete(key) }, fetch: ->(map, key) { map.fetch(key, 0) },
    compute: ->(map, key) { map.compute(key) { 2 } }, upsert: ->(map, key) { map.upsert(key, 1) { 2 } },
    fetch_or_store: ->(map, key) { map.fetch_or_store(key) { 2 } },
    fetch_and_modify: ->(map, key) { map.upsert(key, 1) { 2 } && map.fetch_and_modify(key) { 2 } },
    increment: ->(map, key) { map.increment(key) }, append: ->(map, key) { map.append([key].hash, key) },
    compare_and_set: ->(map, key) { map.compare_and_set(key, 1, 2) }
  }.freeze

  def setup
    @map = Ratomic::Map.new
    @map[Hooked.new("abc")] = 1
  end

  def test_a_hash_that_raises_passes_its_exception_on_and_the_map_goes_on
    CALLS.each do |name, call|
      raising = ->(_key) { raise "no hash" }
      error = assert_raises(RuntimeError, name.to_s) do
        Hooked.calling(hash: raising) { call.call(@map, Hooked.new("abc")) }
      end
      assert_equal "no hash", error.message
      assert_equal [1, 1], [@map[Hooked.new("abc")], @map.size], name
    end
  end

  def test_an_eql_that_raises_passes_its_exception_on_and_the_map_goes_on
    CALLS.except(:append).each do |name, call|
      raising = ->(_key, _other) { raise "no eql" }
      error = assert_raises(RuntimeError, name.to_s) do
        Hooked.calling(eql: raising) { call.call(@map, Hooked.new("xyz")) }
      end
      assert_equal "no eql", error.message
      assert_equal [1, 1], [@map[Hooked.new("abc")], @map.size], name
    end
  end

  def test_a_throw_out_of_eql_reaches_its_catch
    thrown = catch(:out) { Hooked.calling(eql: ->(*) { throw :out, :thrown }) { @map[Hooked.new("xyz")] = 1 } }
    assert_equal :thrown, thrown
    assert_equal 1, @map.size
  end

  def test_a_hash_and_an_eql_may_call_the_map_again
    CALLS.each do |name, call|
      calls = 0
      reenter = lambda do |*|
        calls += 1
        Hooked.calling do
          @map[:other] = @map[:other].to_i + 1
          @map[Hooked.new("abc")]
          @map[Hooked.new("new")] = 1
          @map.delete(Hooked.new("new"))
          @map.compute(:computed) { @map.size }
          @map.to_h
        end
      end
      within(5) { Hooked.calling(hash: reenter, eql: reenter) { call.call(@map, Hooked.new("xyz")) } }
      assert_operator calls, :>, 0, name
      @map.delete(Hooked.new("xyz"))
      assert_equal 1, @map[Hooked.new("abc")], name
    end
  end

  def test_an_eql_that_deletes_the_entry_under_comparison_leaves_a_consistent_map
    removing = ->(_key, other) { Hooked.calling { @map.delete(other) } }
    Hooked.calling(eql: removing) { @map[Hooked.new("xyz")] = 2 }
    assert_equal [1, 2, nil], [@map.size, @map[Hooked.new("xyz")], @map[Hooked.new("abc")]]
  end

  def test_an_eql_that_clears_the_map_leaves_a_consistent_map
    Hooked.calling(eql: ->(*) { @map.clear }) { @map[Hooked.new("xyz")] = 2 }
    assert_equal [[Hooked, 2]], @map.to_h.map { |key, value| [key.class, value] }
  end

  def test_an_eql_that_stores_the_same_key_first_makes_no_second_entry
    storing = ->(key, _other) { Hooked.calling { @map[key] = :from_eql } }
    Hooked.calling(eql: storing) { @map[Hooked.new("xyz")] = :last }
    assert_equal [2, :last], [@map.size, @map[Hooked.new("xyz")]]
  end

  def test_a_collection_inside_hash_and_eql_is_harmless
    collect = ->(*) { GC.start }
    Hooked.calling(hash: collect, eql: collect) { CALLS.each_value { |call| call.call(@map, Hooked.new("xyz")) } }
    assert_equal 1, @map[Hooked.new("abc")]
  end

  def test_a_slow_hash_holds_up_no_other_key
    gate = Thread::Queue.new
    slow = Thread.new { Hooked.calling(hash: ->(_key) { gate.pop }) { @map[Hooked.new("slow")] = 1 } }
    until_asleep(slow)
    assert_everything_goes_on
    gate.close
    slow.join
    assert_equal 1, @map[Hooked.new("slow")]
  end

  def test_a_slow_eql_holds_up_no_other_key_and_not_even_an_equal_one
    gate = Thread::Queue.new
    slow = Thread.new { Hooked.calling(eql: ->(*) { gate.pop }) { @map[Hooked.new("xyz")] = :slow } }
    until_asleep(slow)
    assert_everything_goes_on
    within(5) { @map[Hooked.new("xyz")] = :fast }
    gate.close
    slow.join
    assert_equal :slow, @map[Hooked.new("xyz")]
  end

  def test_a_thread_that_is_killed_inside_eql_leaves_a_consistent_map
    stuck = Thread.new { Hooked.calling(eql: ->(*) { sleep }) { @map[Hooked.new("xyz")] = 1 } }
    until_asleep(stuck)
    stuck.kill.join
    assert_everything_goes_on
    assert_nil @map[Hooked.new("xyz")]
  end

  def test_a_hash_that_is_no_integer_is_a_type_error
    key = Class.new { def hash = "eleven" }.new.freeze
    assert_raises(TypeError) { @map[key] = 1 }
    assert_equal 1, @map.size
  end

  def test_a_hash_that_is_a_bignum_works
    key = Class.new { def hash = 2**200 }.new.freeze
    @map[key] = 5
    assert_equal 5, @map[key]
  end

  private

  def assert_everything_goes_on
    within(5) do
      @map[:other] = 1
      @map.increment(:count)
      @map.compute(Hooked.new("other")) { 1 }
      assert_equal 1, @map[Hooked.new("abc")]
      assert_operator @map.to_h.size, :>=, 3
    end
  end
end
