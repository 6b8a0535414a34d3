# frozen_string_literal: true

module Primitives
  # Map against a Hash behind a Mutex, and against a Ractor that owns a Hash.
  module Maps
    NAME = "map"
    KEYS = Array.new(100) { |number| "key #{number}" }.each(&:freeze).freeze
    OTHER_KEYS = Array.new(100) { |number| "other key #{number}" }.each(&:freeze).freeze

    # A Hash behind a Mutex.
    class Locked
      def initialize
        @mutex = Mutex.new
        @hash = {}
      end

      def [](key)
        @mutex.synchronize { @hash[key] }
      end

      def []=(key, value)
        @mutex.synchronize { @hash[key] = value }
      end

      def increment(key)
        @mutex.synchronize { @hash[key] = @hash.fetch(key, 0) + 1 }
      end

      def compute(key)
        @mutex.synchronize { @hash[key] = yield @hash[key] }
      end
    end

    module_function

    def contests(scale)
      count = (10_000 * scale).ceil
      list = %i[get set increment compute].flat_map { |work| [alone(work, count), threads(work, count / 2)] }
      list + (Ratomic::RACTORS ? [ractors(:increment, count), ractors(:get, count), owned((count / 20).ceil)] : [])
    end

    def alone(work, count)
      least = { get: 1, increment: 1.5 }[work]
      map, locked = filled
      Contest.new("Map##{work}, one thread") do
        contestant("Map") { Maps.public_send(work, map, KEYS, count) }
        contestant("Hash + Mutex") { Maps.public_send(work, locked, KEYS, count) }
        ask("Map", "Hash + Mutex", least) if least
      end
    end

    def threads(work, count)
      map, locked = filled
      Contest.new("Map##{work}, two threads") do
        contestant("Map") { Parallel.threads([map] * 2) { |one| Maps.public_send(work, one, KEYS, count) } }
        contestant("Hash + Mutex") { Parallel.threads([locked] * 2) { |one| Maps.public_send(work, one, KEYS, count) } }
      end
    end

    # The bare loops tell what two Ractors gain on this machine, at this moment, when they share nothing.
    def ractors(work, count)
      map, = filled
      mine = [map, KEYS, count * 4]
      Contest.new("Map##{work}, Ractors") do
        contestant("one Ractor") { Parallel.ractors(Maps, work, [mine]) }
        contestant("two, different keys") { Parallel.ractors(Maps, work, [mine, [map, OTHER_KEYS, count * 4]]) }
        contestant("two, the same keys") { Parallel.ractors(Maps, work, [mine] * 2) }
        contestant("a bare loop, one Ractor") { Parallel.ractors(Counters, :itself_of, [[nil, count * 800]]) }
        contestant("a bare loop, two") { Parallel.ractors(Counters, :itself_of, [[nil, count * 800]] * 2) }
        ask "two, different keys", "one Ractor", 1.6
        only_where "a bare loop, two", "a bare loop, one Ractor", 1.8
      end
    end

    # What a Hash costs that every other Ractor has to ask for.
    def owned(count)
      map, = filled
      Contest.new("Map#increment from another Ractor") do
        contestant("Map") { Parallel.ractors(Maps, :increment, [[map, KEYS, count]]) }
        contestant("a Ractor that owns a Hash") { Maps.ask_owner(count) }
        ask "Map", "a Ractor that owns a Hash", 1
      end
    end

    def filled
      [Ratomic::Map.new, Locked.new].each { |map| (KEYS + OTHER_KEYS).each { |key| map[key] = 1 } }
    end

    def get(map, keys, count)
      repeat(keys, count) { |key| map[key] }
    end

    def set(map, keys, count)
      repeat(keys, count) { |key, number| map[key] = number }
    end

    def increment(map, keys, count)
      repeat(keys, count) { |key| map.increment(key) }
    end

    def compute(map, keys, count)
      repeat(keys, count) { |key| map.compute(key) { |value| value + 1 } }
    end

    # In plain loops: Integer#positive? and the like take a lock of the whole VM where there is more than one Ractor.
    def repeat(keys, count)
      number = 0
      while number < count
        place = 0
        while place < keys.size
          yield keys[place], number
          place += 1
        end
        number += 1
      end
      count * keys.size
    end

    def ask_owner(count)
      owner = Ractor.new do
        hash = Hash.new(0)
        while (asked = Ractor.receive)
          key, reply = asked
          reply << (hash[key] += 1)
        end
      end
      asker = Ractor.new(owner, count) do |there, times|
        back = Ractor::Port.new
        times.times { KEYS.each { |key| there.send([key, back]) && back.receive } }
        there << nil
        times * KEYS.size
      end
      asker.value.tap { owner.value }
    end
  end
end
