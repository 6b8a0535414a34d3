# frozen_string_literal: true

require "test_helper"

# Calls that change many keys: either all of it, or an error and nothing has changed.
class MapManyTest < Minitest::Test
  def setup
    @map = Ratomic::Map.new
    @pairs = (1..50).to_h { |number| ["key #{number}", number] }
    @map.update(@pairs)
  end

  # Calls the block with a map in which another thread's block is computing "key 7", and a gate that ends that block.
  def during_a_block
    gate = Thread::Queue.new
    owner = Thread.new { @map.compute("key 7") { |value| gate.pop && value } }
    until_asleep(owner)
    yield gate, owner
  ensure
    gate << 1
    within(5) { owner.join }
  end

  def test_clear_inside_a_block_raises_and_removes_nothing
    @map.compute("key 3") do |value|
      assert_raises(ThreadError) { @map.clear }
      value
    end
    assert_equal @pairs, @map.to_h
  end

  def test_a_clear_that_is_interrupted_while_it_waits_removes_nothing
    during_a_block do
      clearer = Thread.new { @map.clear }
      until_asleep(clearer)
      assert_equal @pairs, @map.to_h
      clearer.kill
      within(5) { clearer.join }
      assert_raises(Ratomic::TimeoutError) { @map.clear(timeout: 0.01) }
      assert_equal @pairs, @map.to_h
    end
    assert_equal @pairs, @map.to_h
  end

  def test_a_clear_that_would_deadlock_raises_and_removes_nothing
    other = Ratomic::Map.new
    ready = Thread::Queue.new
    error = nil
    within(10) do
      other.compute(:mine) do
        waiter = Thread.new { @map.compute("key 7") { |value| ready << 1 && other.set(:mine, 1) && value } }
        ready.pop
        until_asleep(waiter)
        error = assert_raises(ThreadError) { @map.clear }
        nil
      end
    end
    assert_match(/deadlock/, error.message)
    assert_equal @pairs, @map.to_h
  end

  def test_clear_does_not_wait_for_new_blocks_and_discards_their_results
    during_a_block do |gate, owner|
      clearer = Thread.new { @map.clear }
      until_asleep(clearer)
      late = Thread::Queue.new
      latecomer = Thread.new { @map.compute("key 8") { |value| late.pop && (value + 1) } }
      until_asleep(latecomer)
      gate << 1
      within(5) { clearer.join }
      assert_predicate @map, :empty?
      @map["key 9"] = 1
      late << 1
      assert_equal 9, within(5) { latecomer.value }, "it saw the value as it was"
      assert_equal({ "key 9" => 1 }, @map.to_h)
      assert_equal 1, @map.size
      owner.join
      within(5) { @map["key 8"] = 2 }
    end
  end

  def test_update_stores_the_same_pairs_as_that_of_hash
    hash = @pairs.dup
    [[{ "key 1" => 100, "new" => +"text" }], [{ a: 1 }, { a: 2, b: nil }], [{}]].each do |others|
      hash.update(*others)
      assert_same @map, @map.update(*others)
      assert_equal hash, @map.to_h
    end
    assert_equal hash.update(x: 1, "y" => 2), @map.update(x: 1, "y" => 2).to_h
    other = Ratomic::Map.new
    other[:of_map] = 1
    assert_equal 1, @map.merge!(other)[:of_map]
    assert_predicate @map["new"], :frozen?
    assert_raises(TypeError) { @map.update([[1, 2]]) }
    assert_raises(ArgumentError) { @map.update({ a: 1 }, seconds: 1) }
  end

  def test_the_block_of_update_resolves_conflicts_as_that_of_hash
    hash = { a: "1", b: "2" }
    map = Ratomic::Map.new
    map.update(hash)
    others = [{ b: "x", c: "y" }, { c: "z", b: "w" }]
    seen = []
    hash.update(*others) { |key, old, new| "#{key}#{old}#{new}" }
    map.update(*others) { |key, old, new| (seen << key) && "#{key}#{old}#{new}" }
    assert_equal hash, map.to_h
    assert_equal %i[b b c], seen.sort
  end

  def test_concurrent_updates_with_a_block_lose_nothing_and_do_not_deadlock
    within(30) do
      keys = Array.new(20) { |number| "sum #{number}" }
      Array.new(4) do |seed|
        random = Random.new(seed)
        Thread.new do
          50.times do
            @map.update(keys.shuffle(random: random).to_h { |key| [key, 1] }) do |_key, old, new|
              Thread.pass
              old + new
            end
          end
        end
      end.each(&:join)
      assert_equal [200] * 20, @map.values_at(*keys)
    end
  end

  def test_an_update_that_raises_changes_nothing
    refused = Ratomic::ShareableError
    [[refused, -> { @map.update("key 1" => 0, "new" => $stdout) }],
     [KeyError, -> { @map.update("a" => 1, "key 1" => 0, "key 2" => 0) { |key| raise KeyError if key == "key 2" } }],
     [refused, -> { @map.update("a" => 1, "key 1" => 0, "key 2" => 0) { Thread.current } }],
     [ThreadError, -> { @map.compute("key 2") { |old| @map.update("a" => 1, "key 2" => 3, "key 1" => 9) && old } }],
     [ThreadError, -> { @map.update("a" => 1, "key 1" => 0) { |key| @map.set(key, 1) } }]].each do |error, update|
      within(5) { assert_raises(error, &update) }
      assert_equal @pairs, @map.to_h
    end
    during_a_block do
      assert_raises(Ratomic::TimeoutError) { @map.update({ "a" => 1, "key 7" => 0, "key 1" => 0 }, timeout: 0.01) }
      updater = Thread.new { @map.update({ "a" => 1, "key 7" => 0, "key 1" => 0 }) }
      until_asleep(updater)
      updater.kill
      within(5) { updater.join }
      assert_equal @pairs, @map.to_h
    end
    within(5) { @map.update(@pairs.transform_values { 0 }) } # all keys are free
    assert_equal [0], @map.values.uniq
  end

  # What it holds in the meantime is in memory of its own.
  def test_update_under_gc_stress_and_compaction
    map = Ratomic::Map.new
    words = (1..5).to_h { |number| ["key #{number}", ["value #{number}"]] }
    within(60) do
      GC.stress = true
      map.update(words.transform_values(&:dup))
      map.update(words) { |_key, old, new| old + new }
      GC.stress = false
      map.update(words) { |_key, old, new| (compact? ? GC.compact : GC.start) && (old + new) }
      assert_equal words.transform_values { |value| value * 3 }, map.to_h
      assert_equal words.keys, map.keys.sort
    ensure
      GC.stress = false
    end
  end

  def compact?
    GC.respond_to?(:compact) && GC.compact && true
  rescue NotImplementedError
    false
  end

  def test_delete_if_keep_if_and_select_bang_remove_the_same_pairs_as_those_of_hash
    even = ->(_key, value) { value.even? }
    { delete_if: even, reject!: even, keep_if: even, select!: even, filter!: even }.each do |name, block|
      [@pairs, { a: 1, b: 3 }, { a: 2 }].each do |pairs|
        hash = pairs.dup
        map = Ratomic::Map.new.update(hash)
        expected = hash.public_send(name) { |key, value| block.call(key, value) }
        result = map.public_send(name) { |key, value| block.call(key, value) }
        assert_equal expected.nil?, result.nil?, name
        assert_equal hash, map.to_h, name
        assert_equal hash.size, map.size
        assert_equal hash.size, map.public_send(name).size
      end
    end
  end

  def test_delete_if_removes_nothing_when_its_block_raises_or_breaks
    seen = 0
    assert_raises(KeyError) { @map.delete_if { (seen += 1) > 10 ? raise(KeyError) : true } }
    @map.delete_if { (seen += 1) > 20 ? break : true }
    @map.compute("key 3") { |value| assert_raises(ThreadError) { @map.delete_if { true } } && value }
    assert_equal @pairs, @map.to_h
  end

  def test_delete_if_keeps_pairs_that_others_have_changed_or_claimed
    during_a_block do
      within(5) do
        @map.delete_if do |key, _value|
          @map[key] = 0 if key == "key 5"
          true
        end
      end
      assert_equal({ "key 5" => 0, "key 7" => 7 }, @map.to_h)
    end
  end
end
