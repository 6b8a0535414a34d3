# frozen_string_literal: true

require "test_helper"
require "set"
require "support/odd_keys"

class MapStress < Minitest::Test
  Point = Struct.new(:x, :y)

  def test_random_operations_do_what_a_hash_does
    random = seeded
    map = Ratomic::Map.new
    hash = {}
    stress(20_000).times do |round|
      compare(map, hash, key(random), value(random), random.rand(14))
      next unless (round % 500).zero?

      assert_equal hash, map.to_h
      assert_equal [hash.size, hash.empty?], [map.size, map.empty?]
      GC.start(full_mark: random.rand(2).zero?)
    end
    assert_equal hash, map.to_h
  end

  def test_totals_are_exact_with_every_way_to_count_while_the_heap_is_compacted
    skip_without_ractors
    map = Ratomic::Map.new
    steps = Ratomic::Counter.new
    count = stress(500)
    ractors = Array.new(3) do |number|
      Ractor.new(map, steps, count, Minitest.seed + number) do |shared, counter, times, seed|
        threads = Array.new(2) do |part|
          Thread.new { MapStress.add(shared, counter, times, Random.new((seed * 10) + part)) }
        end
        threads.each(&:join)
      end
    end
    within(240) do
      collect_at_every_step(steps, 6 * count)
      ractors.each(&:value)
    end
    assert_equal 6 * count, map.values.sum { |value| value.is_a?(Array) ? value.size : value }
  end

  def self.add(map, steps, times, random)
    times.times do
      steps.increment
      name = "key #{random.rand(50)}"
      case random.rand(5)
      when 0 then map.increment([name, "i"])
      when 1 then map.compute([name, "c"]) { |value| value.to_i + 1 }
      when 2 then map.upsert([name, "u"], 1) { |value| value + 1 }
      when 3 then map.append([name, "a"], "element #{random.rand}")
      when 4 then swap_in(map, [name, "s"])
      end
    end
  end

  def self.swap_in(map, key)
    loop do
      there = map[key]
      return if map.compare_and_set(key, there, there.to_i + 1)
    end
  end

  def test_blocks_on_random_pairs_of_keys_never_wait_for_each_other_for_ever
    map = Ratomic::Map.new
    refused = Ratomic::Counter.new
    count = stress(400)
    threads = Array.new(6) do |number|
      random = seeded(100 + number)
      Thread.new do
        count.times do
          first, second = Array.new(2) { random.rand(4) }
          map.compute(first) do |value|
            Thread.pass
            map.compute(second) { |other| other.to_i + 1 }
            value
          end
        rescue ThreadError
          refused.increment
        end
      end
    end
    within(120) { threads.each(&:join) }
    assert_equal 6 * count, map.values.compact.sum + refused.read
    assert_operator refused.read, :>, 0
  end

  def test_blocks_of_ractors_on_random_pairs_of_keys_never_wait_for_each_other_for_ever
    skip_without_ractors
    map = Ratomic::Map.new
    ractors = Array.new(3) do |number|
      Ractor.new(map, stress(400), Minitest.seed + number) { |shared, times, seed| MapStress.pair(shared, times, seed) }
    end
    done = within(120) { ractors.map(&:value) }
    assert_equal done.sum, map.values.compact.sum
  end

  def self.pair(map, times, seed)
    random = Random.new(seed)
    times.times.count do
      first, second = Array.new(2) { random.rand(3) }
      map.compute(first) do |value|
        map.compute(second) { |other| other.to_i + 1 }
        value
      end
      true
    rescue ThreadError
      false
    end
  end

  def test_kills_inside_and_before_blocks_lose_no_claim_and_no_count
    map = Ratomic::Map.new
    random = seeded(2)
    count = Array.new(4, 0)
    stress(150).times do
      threads = Array.new(4) { |place| counting_thread(map, count, place) }
      random.rand(10).times { Thread.pass }
      threads.each(&:kill)
      within(20) { threads.each(&:join) }
    end
    within(5) { 3.times { |key| map.compute(key, &:to_i) } }
    assert_equal count.sum, map.values.sum
  end

  # Which object shows a pair to the collector changes when the table of a shard grows or is tidied, also in the middle
  # of an incremental marking. The VM says itself whether an old or a marked object has one that it was not told of, and
  # then ends the process.
  def test_the_collector_is_told_of_every_write_also_in_the_middle_of_its_marking
    skip "this Ruby cannot verify its heap" unless GC.respond_to?(:verify_internal_consistency)
    code = "#{WRITES} MapWrites.new(#{Stress.seed}).run(#{stress(6)})"
    ruby!(code, seconds: 120 * Stress::FACTOR, env: { "RATOMIC_HASH_SEED" => "0" })
  end

  WRITES = <<~'RUBY'
    require "ratomic"

    # Integer keys that come into few shards of a Map, so that these have many pairs and the heap is small: what the
    # extension makes of the key's word for its table (SplitMix64, with RATOMIC_HASH_SEED=0), turned around.
    class CrowdedKeys
      LIMIT = 1 << 64
      FIRST, SECOND = [0xbf58476d1ce4e5b9, 0x94d049bb133111eb].map { |factor| factor.pow((LIMIT / 2) - 1, LIMIT) }

      def initialize(random, shards)
        @random = random
        @shards = shards
      end

      def take(count)
        keys = []
        until keys.size == count
          word = word_of((@random.rand(LIMIT) & ~(1023 << 47)) | (@random.rand(@shards) << 47))
          keys << (word >> 1) - (word[63] << 63) if word.odd?
        end
        keys
      end

      def word_of(hash)
        hash = ((hash ^ (hash >> 31) ^ (hash >> 62)) * SECOND) % LIMIT
        hash = ((hash ^ (hash >> 27) ^ (hash >> 54)) * FIRST) % LIMIT
        hash ^ (hash >> 30) ^ (hash >> 60)
      end
    end

    class MapWrites
      COUNT = 3_000
      BALLAST = Array.new(40_000) { |number| ["ballast #{number}"] }

      def initialize(seed)
        @random = Random.new(seed)
        @keys = CrowdedKeys.new(@random, 8).take(COUNT)
        @map = Ratomic::Map.new
        @keys.each { |key| @map[key] = 0 }
        cards = ObjectSpace.each_object(Ratomic::Map.const_get(:GcCard)).count
        abort "#{cards} cards: the keys are not crowded" unless cards > 80
      end

      def run(rounds)
        rounds.times do
          4.times { GC.start } # the cards are old now
          8.times { some_writes }
        end
        lost = @map.values.reject { |value| value.is_a?(Integer) || value.is_a?(String) }
        abort "lost: #{lost.first.inspect}" if lost.any?
      end

      def some_writes
        if @random.rand(3) == 0
          GC.start(immediate_mark: false, immediate_sweep: false)
          Array.new(@random.rand(6_000)) { +"" } # takes the marking on
        end
        @random.rand(30).times { write(@keys.sample(random: @random)) }
        write_all(@random.rand(12))
        GC.verify_internal_consistency
        GC.start(full_mark: false) if @random.rand(4) == 0
      end

      # Few Strings, because the collector looks at a whole card again when it was told of one.
      def write(key)
        value = @random.rand(3) == 0 ? "new #{key}".freeze : key
        case @random.rand(10)
        when 0..5 then @map[key] = value
        when 6..7 then @map.delete(key)
        when 8 then @map.compute(key) { value }
        else @map.set(key, value, expires_in: 60)
        end
      end

      # Grows the tables, thins them out, empties them.
      def write_all(way)
        case way
        when 0..2 then @keys.each { |key| @map[key] = 1 unless @map.key?(key) }
        when 3..5 then @keys.each_with_index { |key, place| @map.delete(key) if place % 40 > 0 && !@map[key].is_a?(String) }
        when 6 then @map.each_pair { |key, value| @map.delete(key) if value == 1 && key.even? }
        when 7 then @map.clear if @random.rand(4) == 0
        end
      end
    end
  RUBY
  private_constant :WRITES

  private

  # Masked until it blocks, so a kill hits it where it waits for a key, or in the block's sleep.
  def counting_thread(map, count, place)
    Thread.handle_interrupt(Object => :on_blocking) do
      Thread.new do
        loop do
          map.compute(place % 3) { |value| sleep(0) && value.to_i + 1 }
          count[place] += 1
        end
      end
    end
  end

  def key(random)
    number = random.rand(30)
    case random.rand(9)
    when 0 then number
    when 1 then number.to_f
    when 2 then "text #{number}"
    when 3 then "text #{number}".encode("UTF-16LE")
    when 4 then :"symbol #{number}"
    when 5 then [number, ["text #{number}"]]
    when 6 then Point.new(number, "y")
    when 7 then OddKeys::Colliding.new(number)
    when 8 then 2**64 + number
    end
  end

  def value(random)
    [random.rand(9), random.rand, "text #{random.rand(9)}", nil, [random.rand(9), "x"], 2**62, 1r / 3][random.rand(7)]
  end

  def compare(map, hash, key, value, operation)
    case operation
    when 0, 1 then assert_equal [hash[key] = value], [map.set(key, value)]
    when 2 then assert_equal [hash[key]], [map[key]]
    when 3 then assert_equal [hash.delete(key)], [map.delete(key)]
    when 4 then assert_equal [hash.fetch(key, 7), hash.key?(key)], [map.fetch(key, 7), map.key?(key)]
    when 5 then assert_equal (hash[key] = [hash[key], value]), map.compute(key) { |there| [there, value] }
    when 6 then assert_equal [hash[key] = hash.key?(key) ? 5 : value], [map.upsert(key, value) { 5 }]
    when 7 then assert_equal [hash.fetch(key) { hash[key] = value }], [map.fetch_or_store(key) { value }]
    when 8 then modify(map, hash, key, value)
    when 9, 10 then count(map, hash, key, value, operation)
    when 11 then append(map, hash, key, value)
    when 12 then swap(map, hash, key, value)
    when 13 then (value == 3) && [map, hash].each(&:clear)
    end
  end

  def modify(map, hash, key, value)
    return assert_nil(map.fetch_and_modify(key) { flunk "there is no value" }) unless hash.key?(key)

    assert_equal [hash[key] = value], [map.fetch_and_modify(key) { value }]
  end

  def count(map, hash, key, value, operation)
    method, sign = operation == 9 ? %i[increment +] : %i[decrement -]
    there = hash.key?(key) ? hash[key] : 0
    return assert_raises(TypeError) { map.public_send(method, key, value) } unless [there, value].all?(Numeric)

    assert_equal (hash[key] = there.public_send(sign, value)), map.public_send(method, key, value)
  end

  def append(map, hash, key, value)
    there = hash.key?(key) ? hash[key] : []
    return assert_raises(TypeError) { map.append(key, value) } unless there.is_a?(Array)
    return if there.size > 20

    assert_equal (hash[key] = there + [value]), map.append(key, value)
  end

  def swap(map, hash, key, value)
    matches = hash[key] == value
    assert_equal matches, map.compare_and_set(key, value, "swapped")
    hash[key] = "swapped" if matches
  end
end
