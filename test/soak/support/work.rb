# frozen_string_literal: true

module Soak
  # What the pools of a {Stage} run. An item has a number that no other has, and every run of it is counted.
  module Work
    RUNS = Ratomic::Map.new
    OVER = Ratomic::Counter.new
    NUMBERS = Ratomic::Counter.new
    # How an item ends that never ran to its end, or whose end nobody waited for.
    OUTSIDE = %w[CancelledError DispatchTimeoutError ItemTimeoutError ShutdownError]
              .map { |name| "Ratomic::Workers::#{name}".freeze }.freeze
    KINDS = %i[plain plain plain text garbage raise nap].freeze

    class << self
      def begin_round
        RUNS.clear
        OVER.reset
      end

      def end_round
        OVER.increment
      end

      def over?
        !OVER.zero?
      end

      # @return [Array] items that were never there before
      def items(random, most)
        Array.new(random.rand(most)) { [NUMBERS.increment, KINDS[random.rand(KINDS.size)]].freeze }
      end

      # Runs an item.
      def call(item)
        number, kind = item
        RUNS.increment(number)
        case kind
        when :text then "text " * (number % 50)
        when :garbage then Array.new(200) { |place| { place.to_s => [number] } }.size + number
        when :raise then raise KeyError, "item #{number}"
        when :nap then sleep(0.001) && number
        else number * 3
        end
      end

      # @return [Object] what {call} returns
      def expected(item)
        number, kind = item
        case kind
        when :text then "text " * (number % 50)
        when :garbage then number + 200
        when :nap then number
        else number * 3
        end
      end

      # Compares the results of a dispatch with its items.
      # @param whole [Boolean] whether nothing has ended it early
      # @param waiters [Integer] threads that were killed while they waited; each may have ended the item that it ran
      def compare(items, results, whole, waiters = 0)
        raise Wrong, "#{results.size} results of #{items.size} items" unless items.size == results.size

        ended = results.count { |result| ended_with_waiter?(result) }
        raise Wrong, "#{ended} items ended with #{waiters} threads that waited" if ended > waiters

        items.each_with_index { |item, index| compare_one(item, results[index], index, whole) }
      end

      # No item ran twice.
      def check
        twice = RUNS.to_h.reject { |_, runs| runs == 1 }
        raise Wrong, "ran more than once: #{twice.first(5)}" if twice.any?
      end

      private

      def compare_one(item, result, index, whole)
        unless Ratomic::Workers::Failure === result
          return if item[1] != :raise && result == expected(item) && RUNS[item[0]] == 1

          raise Wrong, "item #{item} became #{result.inspect} and ran #{RUNS[item[0]].inspect} times"
        end
        raise Wrong, "the failure of item #{index} has index #{result.index}" unless result.index == index
        return if item[1] == :raise && result.message == "item #{item[0]}"
        return if !whole && OUTSIDE.include?(result.exception_class)
        return if ended_with_waiter?(result)

        raise Wrong, "item #{item} failed: #{result}"
      end

      def ended_with_waiter?(result)
        Ratomic::Workers::Failure === result && result.message.start_with?("the thread that waited for the dispatch")
      end
    end
  end
end
