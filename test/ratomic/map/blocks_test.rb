# frozen_string_literal: true

require "test_helper"

# The methods that take a block: each is atomic for its key, whatever the block does.
class MapBlocksTest < Minitest::Test
  CALLS = {
    compute: ->(map, key, block) { map.compute(key, &block) },
    upsert: ->(map, key, block) { map.upsert(key, 0, &block) },
    fetch_or_store: ->(map, key, block) { map.delete(key) && map.fetch_or_store(key, &block) },
    fetch_and_modify: ->(map, key, block) { map.fetch_and_modify(key, &block) }
  }.freeze

  def setup
    @map = Ratomic::Map.new
    @map[:a] = 1
    @map[:b] = 2
  end

  def test_compute_yields_the_value_or_nil_and_stores_the_result
    assert_equal(2, @map.compute(:a) { |value| value + 1 })
    assert_equal([nil], @map.compute(:new) { |value| [value] })
    assert_equal [2, [nil]], [@map[:a], @map[:new]]
  end

  def test_upsert_stores_the_initial_value_without_calling_the_block
    assert_equal(7, @map.upsert(:new, 7) { flunk "there is no value" })
    assert_equal(8, @map.upsert(:new, 7) { |value| value + 1 })
  end

  def test_fetch_or_store_calls_its_block_once_with_the_key
    calls = []
    2.times { assert_equal(:stored, @map.fetch_or_store(:new) { |key| calls.push(key) && :stored }) }
    assert_equal [:new], calls
  end

  def test_fetch_and_modify_does_nothing_where_there_is_no_value
    assert_nil(@map.fetch_and_modify(:new) { flunk "there is no value" })
    refute @map.key?(:new)
    assert_free(:new)
  end

  def test_a_result_of_nil_is_stored
    assert_nil(@map.compute(:a) { nil })
    assert_equal [true, nil, 2], [@map.key?(:a), @map[:a], @map.size]
  end

  def test_a_mutable_result_is_stored_and_returned_as_a_frozen_copy
    list = [+"text"]
    stored = @map.compute(:a) { list }
    assert_equal list, stored
    assert_same stored, @map[:a]
    assert Ractor.shareable?(stored)
    refute_predicate list, :frozen?
    refute_predicate list.first, :frozen?
  end

  def test_without_a_block_they_raise_local_jump_error_and_change_nothing
    before = @map.to_h
    [-> { @map.compute(:a) }, -> { @map.upsert(:a, 1) }, -> { @map.upsert(:new, 1) }, -> { @map.fetch_or_store(:a) },
     -> { @map.fetch_or_store(:new) }, -> { @map.fetch_and_modify(:a) }].each do |call|
      assert_raises(LocalJumpError, &call)
    end
    assert_equal before, @map.to_h
  end

  def test_a_block_that_raises_changes_nothing_and_frees_its_key
    each_call do |name, call|
      before = name == :fetch_or_store ? nil : 1
      error = assert_raises(RuntimeError) { call.call(@map, :a, ->(_) { raise "no value" }) }
      assert_equal ["no value", before], [error.message, @map[:a]], name
      assert_free(:a)
    end
  end

  def test_break_and_throw_change_nothing_and_next_gives_the_result
    assert_equal(:broken, @map.compute(:a) { break :broken })
    assert_equal(:thrown, catch(:out) { @map.compute(:a) { throw :out, :thrown } })
    assert_equal 1, @map[:a]
    assert_equal :returned, returning_out_of_a_block
    assert_equal 1, @map[:a]
    assert_equal(:next, @map.compute(:a) { next :next })
    assert_free(:a)
  end

  def test_a_block_whose_result_cannot_be_shared_changes_nothing_and_frees_its_key
    error = assert_raises(Ratomic::ShareableError) { @map.compute(:a) { Thread.current } }
    assert_includes error.message, "Thread"
    assert_equal 1, @map[:a]
    assert_raises(Ratomic::ShareableError) { @map.upsert(:new, Thread.current) { 1 } }
    refute @map.key?(:new)
    assert_free(:a)
    assert_free(:new)
  end

  def test_a_thread_that_is_killed_inside_its_block_changes_nothing_and_frees_its_key
    each_call do |name, call|
      thread = Thread.new { call.call(@map, :a, ->(_) { sleep }) }
      until_asleep(thread)
      thread.kill.join
      within(5) { @map[:a] = 1 }
      assert_equal 1, @map[:a], name
    end
  end

  def test_a_block_may_read_any_key
    each_call do |name, call|
      seen = nil
      read = ->(_) { seen = [@map[:a], @map.key?(:a), @map.fetch(:b), @map.size, @map.to_h.size, @map.keys.size] && 5 }
      within(5) { call.call(@map, :a, read) }
      refute_nil seen, name
      assert_equal 5, @map[:a]
      @map[:a] = 1
    end
  end

  def test_inside_a_block_its_own_key_still_has_the_old_value
    within(5) { @map.compute(:a) { @map[:a] + @map.each_pair.sum { |_key, value| value } } }
    assert_equal 4, @map[:a]
    within(5) { @map.compute(:new) { [@map[:new], @map.key?(:new), @map.size] } }
    assert_equal [nil, false, 2], @map[:new]
  end

  def test_writing_another_key_inside_a_block_works
    each_call do |name, call|
      write = lambda do |_|
        @map[:b] = 20
        @map.increment(:count)
        @map.delete(:count)
        @map.append(:list, 1)
        @map.compute(:c) { |value| value.to_i + 1 }
      end
      within(5) { call.call(@map, :a, write) }
      assert_equal [20, nil], [@map[:b], @map[:count]], name
      @map[:a] = 1
    end
    assert_equal 4, @map[:c]
  end

  def test_a_collection_inside_a_block_finishes_with_the_right_value
    each_call do |name, call|
      within(60) do
        call.call(@map, :a, lambda { |_|
          GC.start
          GC.compact if GC.respond_to?(:compact)
          Array.new(100) { |number| "garbage #{number}" }.last
        })
      end
      assert_equal "garbage 99", @map[:a], name
      @map[:a] = 1
    end
  end

  def test_gc_stress_inside_a_block_finishes_with_the_right_value
    within(60) do
      @map.compute("a key that is #{"no literal"}") do
        GC.stress = true
        [+"built", [+"under"], { +"stress" => 1.5 }]
      ensure
        GC.stress = false
      end
    end
    assert_equal ["built", ["under"], { "stress" => 1.5 }], @map["a key that is no literal"]
  end

  def test_threads_see_each_others_results_and_each_block_runs_once
    calls = Ratomic::Counter.new
    add = lambda do |value|
      calls.increment
      Thread.pass
      value.to_i + 1
    end
    threads = Array.new(4) { Thread.new { Array.new(500) { @map.compute(:total, &add) } } }
    seen = within(60) { threads.flat_map(&:value).sort }
    assert (1..2_000).to_a == seen, "no result twice, none left out"
    assert_equal [2_000, 2_000], [@map[:total], calls.read]
  end

  def test_one_of_many_concurrent_calls_of_fetch_or_store_stores
    calls = Ratomic::Counter.new
    20.times do |round|
      threads = Array.new(4) do
        Thread.new { @map.fetch_or_store([round]) { calls.increment.then { Thread.pass || Object.new.freeze } } }
      end
      assert_equal 1, within(10) { threads.map(&:value).uniq.size }
    end
    assert_equal 20, calls.read
  end

  private

  def each_call
    CALLS.each do |name, call|
      @map[:a] = 1
      yield name, call
    end
  end

  # Nobody has a claim on the key.
  def assert_free(key)
    within(5) { Thread.new { @map[key] = 1 }.join }
  end

  def returning_out_of_a_block
    @map.compute(:a) { return :returned }
  end
end
