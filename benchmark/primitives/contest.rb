# frozen_string_literal: true

module Primitives
  def self.now
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end

  # Contestants that do the same work, and what is asked of them. Each is a block that does the work once and returns
  # how many operations that were; in each round they run in another order, because a round pays for the garbage of the
  # one before it.
  class Contest
    # `ours` was asked to be at least `least` times as fast as `theirs`.
    Bound = Struct.new(:ours, :theirs, :least)

    # Only rounds count in which `more` was at least `least` times as fast as `less`.
    Condition = Struct.new(:more, :less, :least)
    # So many times the rounds are run at most until enough of them count.
    MAX_ROUNDS_FACTOR = 4

    attr_reader :title, :unit, :bounds, :note

    def initialize(title, unit: "operations/s", &block)
      @title = title
      @unit = unit
      @contestants = {}
      @bounds = []
      instance_exec(&block)
    end

    def contestant(name, &work)
      @contestants[name] = work
    end

    def ask(ours, theirs, least)
      @bounds << Bound.new(ours, theirs, least)
    end

    # What two Ractors gain says something only while the machine has two processors to give.
    def only_where(more, less, least)
      @condition = Condition.new(more, less, least)
    end

    # @return [Hash{String => Float}] the median of each contestant, in operations a second
    def run(rounds)
      @contestants.each_value(&:call) # warm
      seen = []
      seen << round while sound(seen).size < rounds && seen.size < rounds * MAX_ROUNDS_FACTOR
      counted = sound(seen)
      @note = note_on(counted, seen) if @condition
      counted = seen if counted.empty?
      @contestants.keys.to_h { |name| [name, median(counted.map { |rates| rates[name] })] }
    end

    private

    def round
      @contestants.to_a.shuffle.to_h.transform_values { |work| rate(work) }
    end

    def sound(rounds)
      return rounds unless @condition

      rounds.select { |rates| rates[@condition.more] >= rates[@condition.less] * @condition.least }
    end

    def note_on(counted, seen)
      said = "#{@condition.more} / #{@condition.less} was #{@condition.least} or more in #{counted.size} of " \
             "#{seen.size} rounds"
      counted.empty? ? "#{said}: all count, and say little" : "#{said}; these count"
    end

    def rate(work)
      GC.start
      start = Primitives.now
      count = work.call
      count / (Primitives.now - start)
    end

    def median(numbers)
      sorted = numbers.sort
      (sorted[(sorted.size - 1) / 2] + sorted[sorted.size / 2]) / 2.0
    end
  end
end
