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

  def test_fetch_and_modify_needs_a_value
    error = assert_raises(KeyError) { @map.fetch_and_modify(:new) { flunk "there is no value" } }
    assert_equal [@map, :new], [error.receiver, error.key]
    refute @map.key?(:new)
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

  def test_break_throw_and_next_end_a_block_as_everywhere
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

  def test_reading_inside_a_block_works_also_of_its_own_key
    each_call do |name, call|
      seen = nil
      read = ->(_) { seen = [@map[:a], @map.key?(:a), @map.fetch(:b), @map.size, @map.to_h.size, @map.keys.size] && 5 }
      within(5) { call.call(@map, :a, read) }
      refute_nil seen, name
      assert_equal 5, @map[:a]
      @map[:a] = 1
    end
  end

  def test_inside_a_block_the_own_key_reads_as_it_was
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

  def test_writing_the_same_key_from_the_same_thread_raises_thread_error_at_once_and_keeps_the_outer_block
    writes = [-> { @map[:a] = 9 }, -> { @map.delete(:a) }, -> { @map.increment(:a) }, -> { @map.increment(:a, 1.5) },
              -> { @map.compute(:a) { 9 } }, -> { @map.upsert(:a, 1) { 9 } }, -> { @map.fetch_and_modify(:a) { 9 } },
              -> { @map.compare_and_set(:a, 1, 9) }, -> { @map.append(:a, 9) }, -> { @map.add_to_set(:a, 9) },
              -> { @map.clear }, -> { @map.decrement(:a, 1r) }]
    writes.each do |write|
      result = within(5) do
        @map.compute(:a) do |value|
          error = assert_raises(ThreadError, &write)
          assert_match(/:a|Map/, error.message)
          value
        end
      end
      assert_equal 1, result
    end
    assert_equal({ a: 1, b: 2 }, @map.to_h)
  end

  def test_a_fiber_of_the_same_thread_counts_as_the_same_thread
    within(5) do
      @map.compute(:a) do |value|
        Fiber.new { assert_raises(ThreadError) { @map[:a] = 9 } }.resume
        value
      end
    end
  end

  def test_another_thread_that_writes_the_key_waits_for_the_block_and_sees_its_result
    gate = Thread::Queue.new
    owner = Thread.new { @map.compute(:a) { |value| value + gate.pop } }
    until_asleep(owner)
    writers = [-> { @map.increment(:a) }, -> { @map.compute(:a) { |value| value + 1 } },
               -> { @map.upsert(:a, 0) { |value| value + 1 } }].map { |write| Thread.new(&write) }
    writers.each { |writer| until_asleep(writer) }
    assert_equal 1, @map[:a], "readers do not wait"
    within(5) { @map[:b] = 3 }
    gate << 10
    within(5) { writers.each(&:join) }
    assert_equal [11, 14], [owner.value, @map[:a]]
  end

  def test_clear_waits_for_the_blocks_that_run
    gate = Thread::Queue.new
    owner = Thread.new { @map.compute(:a) { gate.pop } }
    until_asleep(owner)
    clearer = Thread.new { @map.clear }
    until_asleep(clearer)
    gate << 5
    within(5) { clearer.join }
    assert_equal 5, owner.value
    refute @map.key?(:a)
  end

  def test_a_writer_that_waits_can_be_killed_and_timed_out
    gate = Thread::Queue.new
    owner = Thread.new { @map.compute(:a) { gate.pop } }
    until_asleep(owner)
    [-> { @map[:a] = 2 }, -> { @map.compute(:a) { 3 } }, -> { @map.clear }].each do |write|
      writer = Thread.new(&write)
      until_asleep(writer)
      writer.kill
      within(5) { writer.join }
    end
    gate << 7
    assert_equal 7, within(5) { owner.value }
    assert_equal 7, @map[:a]
  end

  def test_two_threads_whose_blocks_write_each_others_keys_get_one_thread_error
    20.times do
      threads = crossing([%i[a b], %i[b a]])
      errors = within(10) { threads.map(&:value) }.compact
      assert_equal ["ThreadError"], errors.uniq
      assert_equal 1, errors.size, "the other one goes on"
      assert_free(:a)
      assert_free(:b)
    end
  end

  def test_a_circle_of_four_threads_gets_a_thread_error
    errors = within(10) { crossing([%i[a b], %i[b c], %i[c d], %i[d a]]).map(&:value) }.compact
    assert_equal ["ThreadError"], errors
    %i[a b c d].each { |key| assert_free(key) }
  end

  def test_a_circle_through_two_maps_gets_a_thread_error
    other = Ratomic::Map.new
    ready = Thread::Queue.new
    go = Thread::Queue.new
    threads = [[@map, other], [other, @map]].map do |mine, theirs|
      Thread.new do
        mine.compute(:k) { (ready << 1) && go.pop && theirs.compute(:k) { 1 } }
        nil
      rescue ThreadError => e
        e.class.name
      end
    end
    2.times { ready.pop }
    2.times { go << 1 }
    assert_equal ["ThreadError"], within(10) { threads.map(&:value) }.compact
  end

  def test_two_ractors_whose_blocks_write_each_others_keys_get_one_thread_error
    skip_without_ractors
    meeting = Ratomic::Counter.new
    ractors = [%i[a b], %i[b a]].map do |mine, theirs|
      Ractor.new(@map, meeting, mine, theirs) do |map, counter, own, other|
        map.compute(own) do |value|
          counter.increment
          Thread.pass until counter.read == 2
          map.compute(other) { |there| there + 10 }
          value
        end
        nil
      rescue ThreadError => e
        e.class.name
      end
    end
    assert_equal ["ThreadError"], within(20) { ractors.map(&:value) }.compact
    assert_free(:a)
    assert_free(:b)
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

  def test_of_many_that_fetch_or_store_one_stores
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

  # Threads that each hold their first key and then, all together, write their second.
  def crossing(pairs)
    ready = Thread::Queue.new
    go = Thread::Queue.new
    threads = pairs.map do |mine, theirs|
      Thread.new do
        @map.compute(mine) { (ready << 1) && go.pop && (@map[theirs] = 5) }
        nil
      rescue ThreadError => e
        e.class.name
      end
    end
    pairs.each { ready.pop }
    pairs.each { go << 1 }
    threads
  end
end
