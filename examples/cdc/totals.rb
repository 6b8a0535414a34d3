# frozen_string_literal: true

module Cdc
  # Counts changes per table, also while many workers decode them: one Map for what is per table, Counters for what is
  # over all. Frozen and shareable; every method can be called from any Ractor at any time.
  class Totals
    # What is counted per table. Bytes are those of the messages.
    KINDS = %i[inserts updates deletes truncates bytes].freeze

    # Which of them a change adds to.
    COUNTED_AS = { insert: :inserts, update: :updates, delete: :deletes, truncate: :truncates }.freeze

    # Counts for one worker alone, to be added to the Totals at once.
    class Tally
      # @return [Integer]
      attr_reader :changes, :bytes
      # @return [Hash{String => Integer}] by {Relation#counters}
      attr_reader :counters

      def initialize
        @counters = {} # with no default: such a Hash comes home from a worker at the least cost
        @changes = 0
        @bytes = 0
      end

      # @param change [Change]
      # @param bytes [Integer] size of its message; of a truncate of many tables counted for the first
      def count(change, bytes)
        names = change.relation.counters
        if change.kind == :truncate
          change.relations.each { |relation| add(relation.counters[:truncates], 1) }
        else
          add(names[COUNTED_AS[change.kind]], 1)
        end
        add(names[:bytes], bytes)
        @changes += 1
        @bytes += bytes
      end

      # @param other [Tally]
      def merge(other)
        other.counters.each { |name, number| add(name, number) }
        @changes += other.changes
        @bytes += other.bytes
      end

      private

      def add(name, number)
        @counters[name] = (@counters[name] || 0) + number
      end
    end

    def initialize
      @tables = Ratomic::Map.new
      @changes = Ratomic::Counter.new
      @bytes = Ratomic::Counter.new
      freeze
    end

    # @param change [Change]
    # @param bytes [Integer] see {Tally#count}
    # @return [void]
    def count(change, bytes)
      tally = Tally.new
      tally.count(change, bytes)
      add(tally)
    end

    # @param tally [Tally]
    # @return [void]
    def add(tally)
      tally.counters.each { |name, number| @tables.increment(name, number) }
      @changes.increment(tally.changes)
      @bytes.increment(tally.bytes)
    end

    # @return [Integer] row changes and truncates counted since the last reset
    def changes
      @changes.read
    end

    # @return [Integer] bytes of their messages
    def bytes
      @bytes.read
    end

    # @return [Hash{String => Hash{Symbol => Integer}}] per table, sorted by name, all of {KINDS}. Exact when no
    #   worker is counting; else each number is one of some moment during the call.
    def to_h
      counted = @tables.to_h
      tables = counted.keys.map { |key| key.rpartition(" ").first }.uniq.sort
      tables.to_h { |table| [table, KINDS.to_h { |kind| [kind, counted.fetch("#{table} #{kind}", 0)] }] }
    end

    # Forgets everything. Not for while workers count: what they add at that moment may be lost or stay.
    #
    # @return [void]
    def reset
      @tables.clear
      @changes.reset
      @bytes.reset
    end
  end
end
