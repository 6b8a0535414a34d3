# frozen_string_literal: true

module Ratomic
  module Workers
    # The estimated cost of items before any has run, as a weight: {ITEM_WEIGHT} for each, and their bytes where they
    # have a `bytesize` (as Strings do). How long a unit of weight takes is measured while they run (see {Costs}).
    module WorkEstimate
      # Weight of an item besides its bytes.
      ITEM_WEIGHT = 64
      # Items of a long list that are looked at.
      MAX_SAMPLE = 256

      # @param items [Array]
      # @return [Integer] of all of them; of a long list estimated from a sample
      def self.of(items)
        size = items.size
        return of_one(items[0]) if size == 1
        return sum(items) if size <= MAX_SAMPLE

        step = size / MAX_SAMPLE
        sum(items, 0, MAX_SAMPLE, step) * size / MAX_SAMPLE
      end

      # @return [Integer] of one item
      def self.of_one(item)
        return item.bytesize + ITEM_WEIGHT if String === item && item.instance_of?(String)

        sized?(item) ? bytes_of(item) + ITEM_WEIGHT : ITEM_WEIGHT
      end

      # An object that is no String may return anything from a method `bytesize`.
      def self.bytes_of(item)
        Interrupts.exceptions_deferred do # or one would be taken for an error of the object
          bytes = item.bytesize
          Integer === bytes && bytes.positive? ? bytes : 0
        rescue StandardError, ScriptError
          0
        end
      end
      private_class_method :bytes_of

      def self.sized?(item)
        String === item || (Object === item && item.respond_to?(:bytesize))
      end

      # @param step [Integer] from one item to the next that is looked at
      # @return [Integer] of that many items from `first` on
      def self.sum(items, first = 0, count = items.size, step = 1)
        return count * ITEM_WEIGHT unless sized?(items[first])

        weight = strings(items, first, count, step) # native
        return weight if weight

        total = 0
        count.times { |number| total += of_one(items[first + (number * step)]) }
        total
      end

      # @param most [Integer] items
      # @param budget [Integer] a weight
      # @return [Integer] how many items from `first` on weigh no more than the budget together
      def self.within(items, first, most, budget)
        return [budget / ITEM_WEIGHT, most].min unless sized?(items[first])

        count = strings_within(items, first, most, budget) # native
        return count if count

        taken = 0
        taken += 1 while taken < most && !(budget -= of_one(items[first + taken])).negative?
        taken
      end
    end
  end
end
