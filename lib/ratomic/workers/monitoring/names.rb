# frozen_string_literal: true

module Ratomic
  module Workers
    # The counts of dispatches that have a name (`as:`), by name: a few Counters for each.
    class Names
      # The largest number of names that are counted one by one. All others are counted together, under OTHER. So a
      # program that makes a new name for each dispatch does not fill the memory.
      MAX_NAMES = 256
      OTHER = "(other)"

      # The counts of one name. Shareable.
      class Account
        # `items` and `nanoseconds` are those of finished dispatches.
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

      # Counts a dispatch that begins.
      def begin(name)
        account(name).dispatches.increment
      end

      # Counts the items of a dispatch that has all its results.
      # @param nanoseconds [Integer] from the call of `dispatch_async` to the last result
      def end(name, items, nanoseconds)
        account = account(name)
        account.items.increment(items)
        account.nanoseconds.increment(nanoseconds)
      end

      # Counts failed items of a dispatch that is running or done.
      # @param count [Integer] a negative number takes back what was counted
      def fail(name, count)
        account(name).failures.increment(count) unless count.zero?
      end

      # Counts a dispatch that its caller has run.
      # @param slots [Array, ResolvedFuture] results and Failures of its items
      def by_caller(name, slots, nanoseconds)
        self.begin(name)
        self.end(name, slots.size, nanoseconds)
        account(name).by_caller.increment
        fail(name, slots.each.sum { |result| failures(result) })
      end

      # @return [Hash{String => Hash}] the counts of each name
      def to_h
        @accounts.to_h.transform_values(&:to_h)
      end

      private

      def failures(result)
        case result
        when Failure then 1
        when Partial then result.omitted.values.sum
        else 0
        end
      end

      # The check and the write are two steps, so several threads at once can add a few names more than MAX_NAMES. The
      # limit does not have to be exact.
      def account(name)
        @accounts[name] || @accounts.fetch_or_store(@accounts.size < MAX_NAMES ? name : OTHER) { Account.new }
      end
    end
  end
end
