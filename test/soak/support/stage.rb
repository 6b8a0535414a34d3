# frozen_string_literal: true

require_relative "part"
require_relative "resources"
require_relative "work"
Dir[File.join(__dir__, "../actors/*.rb")].sort.each { |file| require_relative file }

module Soak
  # Rounds of chaos. In each, actors act at random side by side, each in a thread (some of them make Ractors) with a
  # Random of its own, on the pools of the stage. When the round is over every actor ends by itself, and what ran is
  # compared with what was asked for.
  class Stage
    # Seconds in which actors act, and in which they have to come to their end then.
    ROUND = 3
    TIMEOUT_S = 90

    # @param actors [Hash] class => how many of it
    def self.run(actors)
      Part.run do |part|
        rounds = 0
        counts = Hash.new(0)
        while rounds.zero? || part.left > ROUND
          part.begin_with(part.seed + 1) unless rounds.zero?
          part.begin_with(part.seed) if rounds.zero?
          new(part.seed).round(actors).each { |what, count| counts[what] += count }
          rounds += 1
        end
        "#{rounds} rounds, #{counts.map { |what, count| "#{count} #{what}" }.join(", ")}"
      end
    end

    # @return [Integer]
    attr_reader :seed

    def initialize(seed)
      @seed = seed
      @pools = Ratomic::Map.new
      3.times { |place| @pools[place] = Stage.pool(place) }
      Work.begin_round
    end

    # Of two kinds, so that work goes to Ractors and to threads.
    def self.pool(place)
      Ratomic::Workers::Pool.new(size: 2, min_batch: place == 1 ? :auto : 0, backend: (:thread if place == 2))
    end

    # @return [Hash] what was done => how often
    def round(actors)
      threads = start(actors)
      sleep ROUND
      Work.end_round
      counts = threads.map { |thread| value_of(thread) }
      @pools.values.each { |pool| pool.shutdown(timeout: TIMEOUT_S) || raise(Wrong, "#{pool.inspect} does not end") }
      Work.check
      counts.each_with_object(Hash.new(0)) { |(what, count), all| all[what] += count }
    end

    # @return [Ratomic::Workers::Pool] any of them
    def pool(random)
      @pools[random.rand(3)]
    end

    # Puts a new pool in the place of one.
    # @return [Ratomic::Workers::Pool] that one
    def replace(random)
      place = random.rand(3)
      before = @pools[place]
      @pools[place] = Stage.pool(place)
      before
    end

    private

    def start(actors)
      actors.flat_map { |kind, count| Array.new(count) { kind } }.each_with_index.map do |kind, place|
        actor = kind.new(self, place, Random.new((@seed * 100) + place))
        Thread.new do
          Thread.current.report_on_exception = false
          [kind.name[/\w+\z/].downcase, act(actor)]
        end
      end
    end

    # @return [Integer] how often
    def act(actor)
      count = 0
      (count += 1) && actor.act until Work.over?
      actor.finish
      count
    end

    def value_of(thread)
      return thread.value if thread.join(TIMEOUT_S)

      stacks = Thread.list.map { |one| [one.inspect, *one.backtrace].join("\n    ") }
      warn "seed #{@seed}", stacks
      raise Wrong, "an actor does not end; its stack is in the log (seed #{@seed})"
    end
  end
end
