# frozen_string_literal: true

require "set"
require "ratomic"

# What makes the VM walk objects that mark others, beside Ractors that allocate: a native object is made, a value with a
# Set or a Map in it is made shareable. A walk holds the VM's lock, a collection wants all Ractors to stop, and what
# allocates or waits inside the walk hangs the process for good. So each is run in a process of its own, see {program}.
module Walks
  # Something that only Ruby's own way can make shareable.
  Box = Struct.new(:content)
  MAP = Ratomic::Map.new
  STOP = Ratomic::Counter.new
  ALLOCATING = 3

  # By what is made or called; each gets a Random and does one of it.
  ALL = {
    "counter_new" => ->(random) { Ratomic::Counter.new(random.rand(9)) },
    "map_new" => ->(_) { Ratomic::Map.new },
    "queue_new" => ->(random) { Ratomic::Queue.new(random.rand(1..40)) },
    "completion_new" => ->(random) { Ratomic::Workers::Completion.new(random.rand(1..40)) },
    "caller_runs_cache_new" => ->(_) { Ratomic::Workers::CallerRunsCache.new },
    "tally_new" => ->(_) { Ratomic::Workers::Tally.new },
    "subclass_new" => ->(_) { Walks::Own.new },
    "map_value" => ->(random) { Walks.same(value = Walks.value(random), MAP.set(random.rand(50), value)) },
    "map_key" => ->(random) { MAP.set(Walks.value(random), 1) && MAP.size > 200 && MAP.clear },
    "map_compute" => ->(random) { MAP.compute(random.rand(50)) { Walks.value(random) } },
    "map_append" => ->(random) { MAP.append(random.rand(50), Walks.value(random)).size > 20 && MAP.clear },
    "map_add_to_set" => ->(random) { MAP.add_to_set(random.rand(50), Walks.value(random)).size > 20 && MAP.clear },
    "map_snapshot" => ->(random) { MAP.set(random.rand(50), Walks.value(random)) && Ractor.shareable?(MAP.to_h) },
    "queue_item" => ->(random) { Walks.through(Walks.value(random)) },
    "items_and_results" => ->(random) { Walks.dispatch(random) },
    "workers_pool_new" => ->(_) { Ratomic::Workers::Pool.new(size: 1) },
    "local_pool_new" => ->(_) { Ratomic::LocalPool.new(factory: Echo) }
  }.freeze

  # With an instance variable, which has the VM look through it.
  class Own < Ratomic::Map
    def initialize
      @set = Set.new([[1], "two"])
      super
    end
  end

  # A callable.
  module Echo
    def self.call(item = nil)
      Box.new(Set.new([item]))
    end
  end

  # What the Ractors beside it do.
  module Allocate
    def self.run
      number = 0
      kept = []
      while STOP.zero?
        kept << "text #{number += 1}" << { number => [number.to_s] }
        kept.clear if kept.size > 2_000
      end
    end
  end

  class << self
    # Does one kind of them for some seconds.
    # @return [Integer] how many there were
    def run(name, seconds, seed)
      random = Random.new(seed)
      work = ALL.fetch(name)
      ractors = Array.new(Ratomic::RACTORS ? ALLOCATING : 0) { Ractor.new { Allocate.run } }
      limit = Process.clock_gettime(Process::CLOCK_MONOTONIC) + seconds
      count = 0
      while Process.clock_gettime(Process::CLOCK_MONOTONIC) < limit
        work.call(random)
        count += 1
      end
      STOP.increment
      ractors.each(&:join)
      count
    end

    # @return [String] the program that does it
    def program(name, seconds, seed)
      "require #{File.expand_path(__FILE__).dump}; print Walks.run(#{name.dump}, #{seconds}, #{seed})"
    end

    # Something new that is not shareable yet, with Sets in it, and a native object, and each in the other. (A Set in
    # something else can be copied only when what it has is shareable.)
    def graph(random)
      own = Ratomic::Queue.new(2)
      set = Set.new([random.rand(9), "text #{random.rand(99)}", %w[list].freeze])
      case random.rand(4)
      when 0 then set
      when 1 then Box.new([set, own])
      when 2 then { set: set, "own" => [own, Box.new(+"text")] }
      when 3 then Set.new([set.freeze, own])
      end
    end

    # A Set of what is not shareable yet, or a {graph}.
    def value(random)
      random.rand(4).zero? ? Set.new([["list"], { random.rand(9) => +"text" }]) : graph(random)
    end

    def through(item)
      queue = Ratomic::Queue.new(1)
      queue << item
      same(item, queue.pop)
    end

    def dispatch(random)
      @pool ||= Ratomic::Workers::Pool.new(size: 1, min_batch: 0)
      items = Array.new(5) { graph(random) }
      results = @pool.dispatch_async(items, Echo).value!(timeout: 60)
      items.zip(results) { |item, result| same(Echo.call(item), result) }
    end

    def same(given, got)
      raise "#{got.inspect} instead of #{given.inspect}" unless given == got || got == given

      got
    end
  end
end
