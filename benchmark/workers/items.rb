# frozen_string_literal: true

module WorkersBench
  # Items as callers have them: rows, Hashes, Structs and objects, frozen or not, handed over or not. What is not frozen
  # crosses as a frozen copy, which the caller makes before it goes on.
  class Items
    # A Struct and an object that hold something.
    Line = Struct.new(:number, :fields)

    # The same as an object.
    class Page
      def initialize(number, fields)
        @number = number
        @fields = fields
      end
    end

    KINDS = {
      "a String" => ->(i) { "the text of item number #{i}" },
      "a row of 10 Strings" => ->(i) { Array.new(10) { |j| "cell #{j} of row #{i}" } },
      "a Hash of 3 numbers" => ->(i) { { id: i, sum: i * 2, share: i / 3.0 } },
      "a Struct with a Hash" => ->(i) { Line.new(i, { id: i, sum: i * 2 }) },
      "an object with a Hash" => ->(i) { Page.new(i, { id: i, sum: i * 2 }) }
    }.freeze
    WAYS = { "frozen" => {}, "not frozen" => {}, "move: true" => { move: true } }.freeze
    COUNT = 500
    # Of so few the caller takes care itself.
    FEW = 10
    # Microseconds of work in an item.
    COST = 4
    # Seconds of repetitions.
    TIMED = 0.02

    # One for each kind, as the pool learns costs by callable.
    CALLABLES = KINDS.transform_values do
      Module.new { define_singleton_method(:call, &Ractor.shareable_proc { |_item| Load::Spin.call(COST) }) }
    end

    def initialize(bench)
      @bench = bench
      @pool = Ratomic::Workers::Pool.new(size: Etc.nprocessors)
      Load::Spin.calibrate
      @times = (TIMED * 1e6 / (COST * COUNT)).ceil
    end

    def run
      KINDS.each_key do |kind|
        warm_up(kind)
        @bench.title "#{COUNT} items of #{COST} us, each #{kind}: speed-up over map"
        WAYS.each_key { |way| all_at_once(kind, way) }
        few(kind)
        held_up(kind)
      end
    ensure
      @pool.shutdown
    end

    private

    def warm_up(kind)
      20.times { WAYS.each { |way, options| took(items(kind, way, COUNT), kind, min_batch: 0, **options) } }
      50.times { took(items(kind, "not frozen", FEW), kind) }
    end

    def items(kind, way, count)
      items = Array.new(count, &KINDS[kind])
      way == "frozen" ? Ractor.make_shareable(items) : items
    end

    def all_at_once(kind, way)
      pool, auto = [{ min_batch: 0 }, {}].map { |given| speed_up(kind, way, COUNT, **given, **WAYS[way]) }
      @bench.show("#{kind}, #{way}: pool", pool, "x")
      @bench.show("#{kind}, #{way}: auto", auto, "x")
      return unless way == "not frozen"

      @bench.ask("#{COUNT}, each #{kind}, not frozen: pool / map", pool, at_least: 1)
      @bench.ask("#{COUNT}, each #{kind}, not frozen: auto / map", auto, at_least: 1)
    end

    def few(kind)
      gains = ["frozen", "not frozen"].to_h { |way| [way, speed_up(kind, way, FEW)] }
      gains.each { |way, gain| @bench.show("#{FEW}, each #{kind}, #{way}: auto", gain, "x") }
      @bench.ask("#{FEW}, each #{kind}, not frozen: time of auto / map", 1 / gains["not frozen"], at_most: 1.15)
    end

    # How long the call of `dispatch_async` takes, which makes the copies, against Ruby's own copy.
    def held_up(kind)
      items = items(kind, "not frozen", COUNT)
      ours = -> { held(items, kind) }
      rubys = -> { timed { Ractor.make_shareable(items, copy: true) } }
      share = WorkersBench.median(Array.new(@bench.rounds * 2) { 1 / @bench.speed_up(ours, over: rubys) })
      @bench.show("#{kind}, not frozen: dispatch_async alone", ours.call * 1e6, "us")
      @bench.ask("#{kind}: dispatch_async alone / make_shareable(copy: true)", share, at_most: 1.1)
    end

    # @return [Float] median of the rounds
    def speed_up(kind, way, count, **options)
      times = @times * (COUNT / count)
      callable = CALLABLES[kind]
      make = ->(*) { items(kind, way, count) }
      lists = way == "move: true" ? -> { Array.new(times, &make) } : -> { [make.call] * times }
      map = -> { each_timed(lists.call) { |list| list.map { |item| callable.call(item) } } }
      pool = -> { each_timed(lists.call) { |list| @pool.dispatch_async(list, callable, **options).value } }
      WorkersBench.median(Array.new(@bench.rounds * 2) { @bench.speed_up(pool, over: map) })
    end

    def took(items, kind, **options)
      @pool.dispatch_async(items, CALLABLES[kind], **options).value
    end

    def held(items, kind)
      seconds = Array.new(@times) do
        started = WorkersBench.now
        future = @pool.dispatch_async(items, CALLABLES[kind], min_batch: 0)
        (WorkersBench.now - started).tap { future.value }
      end
      WorkersBench.median(seconds)
    end

    def timed(&)
      WorkersBench.median(Array.new(@times) { each_timed([nil], &) })
    end

    # @return [Float] seconds for one of them
    def each_timed(lists, &work)
      started = WorkersBench.now
      lists.each(&work)
      (WorkersBench.now - started) / lists.size
    end
  end
end
