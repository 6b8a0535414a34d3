# frozen_string_literal: true

module Metrics
  # Metrics that every Ractor and thread writes to and reads at any time. Frozen and shareable.
  class Shared
    def initialize
      @changes = Ratomic::Counter.new
      @bytes = Ratomic::Counter.new
      @counts = Ratomic::Map.new
      @slowest = Ratomic::Map.new
      freeze
    end

    # @param change [Change]
    # @return [void]
    def count(change)
      @bytes.increment(change.bytes)
      @counts.increment(change.name)
      keep_slowest(change.table, change.lag_ms)
      @changes.increment
    end

    # @return [Integer] how many changes were counted; never goes back
    def changes
      @changes.read
    end

    # @return [Totals] exact when nobody counts; else each number is one of some moment during the call
    def totals
      Totals.new(@changes.read, @bytes.read, @counts.to_h, @slowest.to_h)
    end

    private

    # Most changes are not the slowest: a read tells that, without a claim on the key. The block decides.
    def keep_slowest(table, lag)
      seen = @slowest[table]
      return if seen && seen >= lag

      @slowest.compute(table) { |present| present && present > lag ? present : lag }
    end
  end
end
