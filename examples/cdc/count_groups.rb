# frozen_string_literal: true

module Cdc
  # What a worker does as long as a stream is read: it takes groups of runs from a queue until that is closed, counts
  # each, and puts what came of it into another queue. Frozen and shareable.
  #
  # One dispatch for the whole stream, and not one for each group: with every method that is called often enough to be
  # compiled the JIT compiler stops all Ractors for a moment, and a dispatch goes through hundreds of methods.
  class CountGroups
    # @param callable [CountRuns]
    # @param groups [Ratomic::Queue] of [Integer, Array<Run>]
    # @param results [Ratomic::Queue] gets [Integer, CountRuns::Counted], frozen
    def initialize(callable, groups, results)
      @callable = callable
      @groups = groups
      @results = results
      freeze
    end

    # @param _worker [Integer] which of several this is
    # @return [nil]
    def call(_worker)
      while (group = @groups.pop)
        number, runs = group
        @results.push(Ractor.make_shareable([number, @callable.count_all(runs)]))
      end
    end
  end
end
