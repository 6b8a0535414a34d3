# frozen_string_literal: true

require "test_helper"

# A Ractor that collects its own heap again and again, while others change what is in objects of that heap: Maps below
# and above the size from which cards show their entries, with snapshots under way, a Queue, Completions. On Ruby 4.1
# the others are not stopped for such a collection. A mark function that reads without the lock crashes here within
# seconds.
class LocalCollectionStress < Minitest::Test
  PROGRAM = <<~'RUBY'
    require "ratomic"
    SEED, TURNS, KEYS = ARGV.map { |number| Integer(number) }
    MAP = Ratomic::Map.new
    QUEUE = Ratomic::Queue.new(1024)
    STOP = Ratomic::Counter.new
    Completion = Ratomic::Workers::Completion

    module Change
      def self.forever(seed)
        count = seed
        completion = nil
        while STOP.zero?
          count += 1
          MAP["key #{count % KEYS}"] = ["value", count]
          MAP.delete("key #{(count * 7) % KEYS}") if count.odd?
          if (count % 50).zero?
            MAP.to_h
            completion = MAP["completion"]
          end
          (count % 3).zero? ? QUEUE.try_pop : QUEUE.try_push("item #{count}")
          QUEUE.clear if (count % 5_000).zero?
          completion&.file(count % 64, Ractor.make_shareable(["result #{count}"]))
        end
        count
      end
    end

    others = Array.new(2) { |number| Ractor.new(SEED + number) { |seed| Change.forever(seed) } }
    random = Random.new(SEED - 1)
    TURNS.times do |turn|
      50.times { MAP["key #{random.rand(KEYS)}"] = "main #{turn}" } # young, in what is old
      QUEUE.try_push("main #{turn}")
      MAP["completion"] = Completion.new(64, true) if (turn % 50).zero?
      GC.start(full_mark: false)
      GC.start if (turn % 500).zero?
    end
    STOP.increment
    raise "nothing was changed" unless others.sum(&:value).positive?
    raise "lost" unless MAP.to_h.size == MAP.size
  RUBY

  # Where a collection stops all Ractors, nothing changes beside it.
  TURNS = Ratomic::HEAP_PER_RACTOR ? 3_000 : 500

  { "a small Map" => 40, "a Map with cards" => 30_000 }.each do |name, keys|
    define_method("test_with_#{name.downcase.tr(" ", "_")}") do
      skip_without_ractors
      ruby!(PROGRAM, seeded(keys).rand(1 << 20).to_s, stress(TURNS).to_s, keys.to_s, seconds: 300 * Stress::FACTOR)
    end
  end
end
