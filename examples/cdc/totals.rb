# frozen_string_literal: true

module Cdc
  # Counts changes per table, also while many workers decode them: one Map for the counts of each table, Counters for
  # those of the whole stream. Frozen and shareable; every method can be called from any Ractor at any time.
  class Totals
    # What is counted per table. Bytes are those of the messages.
    KINDS = %i[inserts updates deletes truncates bytes].freeze

    # Which of them a change adds to.
    PLACES = { insert: 0, update: 1, delete: 2, truncate: 3 }.freeze
    BYTES = 4

    # Counts for one worker alone, to be added to the Totals at once.
    class Tally
      # @return [Integer]
      attr_reader :changes, :bytes
      # @return [Hash{String => Array<Integer>}] by the table's name, in the order of {KINDS}
      attr_reader :counts

      def initialize
        @counts = {} # with no default: such a Hash comes home from a worker at the least cost
        @changes = 0
        @bytes = 0
        @relation = @latest = nil
      end

      # @param change [Change]
      # @param bytes [Integer] size of its message; of a truncate of many tables counted for the first
      def count(change, bytes)
        place = PLACES[change.kind]
        change.relations.drop(1).each { |relation| counts_of(relation)[place] += 1 } if place == 3
        counts = counts_of(change.relation)
        counts[place] += 1
        counts[BYTES] += bytes
        @changes += 1
        @bytes += bytes
      end

      # @param other [Tally]
      def merge(other)
        other.counts.each do |name, counts|
          own = @counts[name]
          own ? counts.each_with_index { |count, place| own[place] += count } : @counts[name] = counts.dup
        end
        @changes += other.changes
        @bytes += other.bytes
      end

      private

      # Most rows are of the same table as the one before.
      def counts_of(relation)
        return @latest if relation.equal?(@relation)

        @relation = relation
        @latest = @counts[relation.name] ||= Array.new(KINDS.size, 0)
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
      tally.counts.each do |table, counts|
        counts.each_with_index { |count, place| @tables.increment("#{table} #{KINDS[place]}", count) if count > 0 }
      end
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
