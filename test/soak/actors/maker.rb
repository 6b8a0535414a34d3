# frozen_string_literal: true

require_relative "actor"

module Soak
  # Makes Maps, Queues and Counters, uses them beside plain ones, and drops them.
  class Maker < Actor
    def act
      use_map
      use_queue
      counter = Ratomic::Counter.new
      raise Wrong, "a Counter lost something" unless Array.new(50) { counter.increment } == [*1..50]
    end

    private

    def use_map
      map = Ratomic::Map.new
      hash = {}
      50.times do
        key = [@random.rand(9), "key #{@random.rand(9)}"]
        chance(0.2) ? [map, hash].each { |one| one.delete(key) } : map[key] = hash[key] = ["value", @random.rand(99)]
      end
      raise Wrong, "a Map of #{map.size} and a Hash of #{hash.size} differ" unless map.to_h == hash
    end

    def use_queue
      queue = Ratomic::Queue.new(8)
      items = Array.new(40) { |number| ["item", number] }
      sender = Thread.new { items.each { |item| queue << item } && queue.close }
      seen = []
      while (item = queue.pop(timeout: 30))
        seen << item
      end
      sender.join
      raise Wrong, "a Queue gave #{seen.size} of #{items.size} items" unless seen == items
    end
  end
end
