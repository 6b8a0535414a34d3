# frozen_string_literal: true

module Metrics
  # The same in plain Hashes behind a Mutex. A Mutex stays in its Ractor, so this is for threads.
  class Locked
    def initialize
      @lock = Mutex.new
      @totals = Totals.none
    end

    # @param change [Change]
    # @return [void]
    def count(change)
      @lock.synchronize { @totals.count(change) }
    end

    # @return [Totals]
    def totals
      @lock.synchronize { Totals.new(@totals.changes, @totals.bytes, @totals.counts.dup, @totals.slowest.dup) }
    end
  end
end
