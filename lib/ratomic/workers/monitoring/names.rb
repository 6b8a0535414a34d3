# frozen_string_literal: true

module Ratomic
  module Workers
    # The counts of dispatches that have a name (`as:`), by name: a few Counters for each.
    class Names
      # Names that are told apart. A program that makes a new name for each dispatch gets the others as one.
      MAX_NAMES = 256
      OTHER = "(other)"

      # The counts of one name. Shareable.
      class Account
        # Of the finished ones.
        COUNTS = %i[dispatches by_caller items failures nanoseconds].freeze
        attr_reader(*COUNTS)

        def initialize
          COUNTS.each { |name| instance_variable_set(:"@#{name}", Counter.new) }
          freeze
        end

        # @return [Hash{Symbol => Integer, Float}]
        def to_h
          { dispatches: dispatches.value, by_caller: by_caller.value, items: items.value, failures: failures.value,
            seconds: nanoseconds.value / 1e9 }
        end
      end
      private_constant :Account

      def initialize
        @accounts = Map.new
        freeze
      end

      # A dispatch goes to the workers.
      def begin(name)
        account(name).dispatches.increment
      end

      # A dispatch has all its results.
      # @param nanoseconds [Integer] from the dispatch on
      def end(name, items, nanoseconds)
        account = account(name)
        account.items.increment(items)
        account.nanoseconds.increment(nanoseconds)
      end

      # Counts failed items of a dispatch that is running or done.
      # @param count [Integer] less than 0 takes back
      def fail(name, count)
        account(name).failures.increment(count) unless count.zero?
      end

      # The caller has run one.
      # @param slots [Array, ResolvedFuture] what has become of its items
      def by_caller(name, slots, nanoseconds)
        self.begin(name)
        self.end(name, slots.size, nanoseconds)
        account(name).by_caller.increment
        fail(name, slots.each.sum { |result| failures(result) })
      end

      # @return [Hash{String => Hash}] the names, each with what it has done
      def to_h
        @accounts.to_h.transform_values(&:to_h)
      end

      private

      def failures(result)
        case result
        when Failure then 1
        when Partial then result.more.values.sum
        else 0
        end
      end

      # Several threads may find room at the same time: then there are a few more names.
      def account(name)
        @accounts[name] || @accounts.fetch_or_store(@accounts.size < MAX_NAMES ? name : OTHER) { Account.new }
      end
    end
  end
end
