# frozen_string_literal: true

require "test_helper"

# What a Map takes, and that the collector knows of it.
class MapMemoryTest < Minitest::Test
  MANY = 100_000

  def test_an_empty_map_takes_at_most_a_kilobyte
    require "objspace"
    map = Ratomic::Map.new
    parts = ObjectSpace.reachable_objects_from(map).grep_v(Module)
    assert_operator [map, *parts].sum { |part| ObjectSpace.memsize_of(part) }, :<=, 1024
  end

  def test_a_map_with_a_few_entries_takes_a_few_kilobytes
    require "objspace"
    map = Ratomic::Map.new
    10.times { |number| map[number] = number }
    assert_operator ObjectSpace.memsize_of(map), :<=, 8 * 1024
  end

  def test_memory_of_a_map_is_reported_to_the_collector
    ruby!(<<~RUBY)
      require "ratomic"
      def known = GC.stat(:malloc_increase_bytes)
      map = Ratomic::Map.new
      GC.start
      GC.disable
      before = known
      #{MANY}.times { |number| map[number] = number }
      full = known
      abort "told of \#{full - before} bytes" unless full - before > #{MANY} * 20
      map.clear
      abort "\#{full - known} bytes less after clear" unless full - known > #{MANY} * 20
    RUBY
  end

  def test_deletes_release_memory
    require "objspace"
    map = Ratomic::Map.new
    MANY.times { |number| map[number] = number }
    full = ObjectSpace.memsize_of(map)
    (MANY - 1000).times { |number| map.delete(number) }
    assert_operator ObjectSpace.memsize_of(map), :<, full / 4
    assert_equal (MANY - 1000...MANY).to_a, map.keys.sort
    assert_equal (MANY - 1000...MANY).to_a, map.values.sort
  end

  def test_a_cleared_map_takes_no_more_than_its_shards
    require "objspace"
    map = Ratomic::Map.new
    MANY.times { |number| map[number] = number }
    map.clear
    smallest = Ratomic::Map.new
    smallest[smallest.size] = 1 until ObjectSpace.memsize_of(smallest) > 64 * 1024 # as many shards, next to no pairs
    assert_operator ObjectSpace.memsize_of(map), :<=, ObjectSpace.memsize_of(smallest)
    map[:again] = 1
    assert_equal({ again: 1 }, map.to_h)
  end

  # Of a large map about a hundred pairs each have an object that shows them to the collector; before, sixteen shards
  # have, or the map shows all.
  def test_young_values_survive_in_a_map_of_any_size
    map = Ratomic::Map.new
    sizes = [1, 4, 5, 30, 32, 33, 40, 1_000, 60_000, 70_000, 90_000]
    4.times { GC.start } # now the map is old
    sizes.each_cons(2) do |from, to|
      (from...to).each { |number| map[number] = "value #{number}" }
      GC.start(full_mark: false)
      (to / 2).times { |number| map[(number * 7919) % to] = "new" if (number % 3).zero? }
      2.times { GC.start(full_mark: false) }
      GC.start
    end
    assert(map.values.all? { |value| value == "new" || value.start_with?("value ") })
    GC.verify_internal_consistency if GC.respond_to?(:verify_internal_consistency)
  end

  # Deletes leave holes that new pairs come into, and move what is left to other places, and a snapshot keeps the old
  # values: whoever shows them to the collector has to know of all that is young.
  def test_young_values_survive_deletes_clears_and_snapshots_of_a_large_map
    map = Ratomic::Map.new
    100_000.times { |number| map[number] = number }
    4.times { GC.start }
    random = Random.new(7)
    3.times do |round|
      10_000.times { map[random.rand(100_000)] = "round #{round}".dup.freeze }
      GC.start(full_mark: false)
      seen = 0
      map.each_pair do |key, value|
        map[key] = "later #{key}" if (seen += 1) < 3_000
        GC.start(full_mark: false) if seen % 1_000 == 0 && seen < 3_000
        raise "#{key} became #{value.inspect}" unless value == key || value.match?(/\A(round|later) \d+\z/)
      end
      100_000.times { |number| map.delete(number) unless number % 97 == round }
      2.times { GC.start(full_mark: false) }
      100_000.times { |number| map[number] ||= number }
    end
    assert_equal 100_000, map.size
    assert(map.to_h.all? { |key, value| value == key || value.match?(/\A(round|later) \d+\z/) })
    GC.verify_internal_consistency if GC.respond_to?(:verify_internal_consistency)
    map.clear
    map[1] = "one more"
    GC.start
    assert_equal({ 1 => "one more" }, map.to_h)
  end

  # What showed its pairs is there until a collection, and knows nothing of those that come.
  def test_cards_from_before_a_clear_are_not_used_again
    skip "this Ruby cannot verify its heap" unless GC.respond_to?(:verify_internal_consistency)
    ruby!(<<~'RUBY', seconds: 60)
      require "ratomic"
      map = Ratomic::Map.new
      100_000.times { |number| map[number] = number }
      4.times { GC.start } # now all of it is old
      GC.disable
      map.clear
      70_000.times { |number| map[number] = "young #{number}" }
      GC.verify_internal_consistency
      abort "lost" unless map[69_999] == "young 69999"
    RUBY
  end

  # The table of a shard is tidied when keys have come and gone for a while: then its pairs lie elsewhere, and others
  # show them to the collector.
  def test_young_values_survive_while_keys_are_added_and_deleted
    map = Ratomic::Map.new
    70_000.times { |number| map[number] = "old #{number}" }
    4.times { GC.start }
    (70_000...140_000).each do |number|
      map[number] = "young #{number}"
      map.delete(number - 70_000)
      GC.start(full_mark: false) if number % 5_000 == 0
    end
    GC.start(full_mark: false)
    Array.new(1_000) { +"something else in the place of what is gone" }
    assert_equal 70_000, map.size
    assert(map.to_h.all? { |number, value| value == "young #{number}" })
  end

  def test_contention_in_a_small_map_adds_shards
    skip_without_ractors
    require "objspace"
    map = Ratomic::Map.new
    ractors = Array.new(2) do |number|
      Ractor.new(map, number) { |shared, mine| 300_000.times { shared.increment(mine) } }
    end
    within(60) { ractors.each(&:value) }
    assert_equal({ 0 => 300_000, 1 => 300_000 }, map.to_h)
  end
end
