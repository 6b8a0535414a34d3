# frozen_string_literal: true

require "test_helper"

# What a map contained at one moment.
class MapSnapshotsTest < Minitest::Test
  def setup
    @map = Ratomic::Map.new
    @pairs = { a: 1, "b" => [2], 3.0 => nil, [4] => "four" }
    @pairs.each { |key, value| @map[key] = value }
  end

  def test_keys_values_and_pairs_equal_those_of_a_hash
    assert_equal @pairs, @map.to_h
    assert_equal @pairs.keys.sort_by(&:inspect), @map.keys.sort_by(&:inspect)
    assert_equal @pairs.values.sort_by(&:inspect), @map.values.sort_by(&:inspect)
    assert_equal @pairs, @map.each_pair.to_h
  end

  def test_keys_and_values_have_the_same_order
    1_000.times { |number| @map[number] = -number }
    assert_equal @map.to_h, @map.keys.zip(@map.values).to_h
  end

  def test_an_empty_map_has_empty_snapshots
    @map.clear
    assert_equal [[], [], {}, []], [@map.keys, @map.values, @map.to_h, @map.each_pair.to_a]
  end

  def test_snapshots_can_be_changed_without_changing_the_map
    @map.to_h[:new] = 1
    @map.keys << 1
    assert_equal @pairs, @map.to_h
  end

  def test_each_pair_returns_the_map_or_an_enumerator
    assert_same(@map, @map.each_pair { nil })
    assert_kind_of Enumerator, @map.each_pair
    assert_equal @pairs.size, @map.each_pair.count
  end

  def test_each_pair_passes_the_same_arguments_to_a_block_as_hash
    hash = { a: 1 }
    map = Ratomic::Map.new
    map[:a] = 1
    each_kind_of_block do |block|
      seen = [hash, map].map { |holder| [].tap { |all| holder.each_pair(&block.call(all)) } }
      assert_equal(*seen)
      assert_equal 1, seen.first.size
    end
  end

  def test_each_pair_does_not_see_writes_of_its_block
    seen = {}
    within(5) do
      @map.each_pair do |key, value|
        seen[key] = value
        @map.clear
        @map[:new] = GC.start
      end
    end
    assert_equal @pairs, seen
    assert_equal [:new], @map.keys
  end

  def test_each_pair_can_be_ended_by_break_and_read_by_next
    assert_equal(:left, @map.each_pair { break :left })
    steps = @map.each_pair
    first = steps.next
    @map.clear
    GC.start
    assert_equal @pairs, ([first] + Array.new(3) { steps.next }).to_h
    assert_raises(StopIteration) { steps.next }
  end

  def test_a_snapshot_is_consistent_while_threads_write
    # Of a hundred tokens one at a time is on its way from one key to another: 99 are there, or 100, or 101 when the
    # writer put a new one in its place. A snapshot of several moments would show others.
    map = Ratomic::Map.new
    100.times { |number| map[number] = :token }
    stop = Ratomic::Counter.new
    writer = Thread.new { map.set(rand(100), :token) && Thread.pass while stop.zero? }
    mover = Thread.new do
      while stop.zero?
        number = rand(100)
        map[number + 100] = :token if map.delete(number)
        map[number] = :token if map.delete(number + 100)
      end
    end
    200.times { assert_includes 99..101, map.to_h.size }
    stop.increment
    within(10) { [writer, mover].each(&:join) }
  end

  # Shards are copied one after the other, and a Ractor writes meanwhile: of two keys that count up in turn, the second
  # is never ahead of the first, nor more than one step behind.
  def test_a_snapshot_is_consistent_while_another_ractor_writes
    skip_without_ractors
    map = Ratomic::Map.new
    5_000.times { |number| map[number] = 0 }
    stop = Ratomic::Counter.new
    writer = Ractor.new(map, stop) do |shared, ending|
      random = Random.new(7)
      while ending.zero?
        first = random.rand(2_500)
        second = 2_500 + random.rand(2_500)
        shared.increment(first)
        shared.increment(second)
      end
    end
    within(60) do
      100.times do
        counts = map.to_h
        behind = counts.sum { |key, value| key < 2_500 ? value : -value }
        assert_includes 0..1, behind
      end
    end
    stop.increment
    writer.value
  end

  # Yields what makes a block that adds to an Array what it was given.
  def each_kind_of_block
    yield ->(all) { proc { |pair| all << pair } }
    yield ->(all) { proc { |key, value| all << [key, value] } }
    yield ->(all) { proc { |*both| all << both } }
    yield ->(all) { proc { |key, *others| all << [key, others] } }
    yield ->(all) { proc { |key, value, *others| all << [key, value, others] } }
    yield ->(all) { proc { |key, value = 7| all << [key, value] } }
    yield ->(all) { ->(pair) { all << pair } }
  end

  def test_snapshots_during_writes_of_another_ractor_have_only_stored_pairs
    skip_without_ractors
    map = Ratomic::Map.new
    stop = Ratomic::Counter.new
    rounds = Ratomic::Counter.new
    writer = Ractor.new(map, stop, rounds) do |shared, ending, begun|
      while ending.zero?
        round = begun.increment
        500.times { |number| shared["key #{number}"] = ["value", number, round] }
        shared.clear if (round % 3).zero?
      end
    end
    eventually(30) { rounds.value.positive? }
    within(60) do
      200.times do
        map.to_h.each { |key, value| assert_equal key, "key #{value[1]}" }
        assert(map.keys.all? { |key| key.start_with?("key ") })
        assert(map.values.all? { |value| value.first == "value" })
      end
    end
    stop.increment
    writer.join
  end
end
