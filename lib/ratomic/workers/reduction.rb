# frozen_string_literal: true

module Ratomic
  module Workers
    # The result of {Pool#reduce}: the sum, and the counts and Failures of items that are not in the sum.
    class Reduction
      # @return [Object] what the merge of the partial sums returned; the caller's own
      attr_reader :sum
      # @return [Array<Failure>] frozen, in the order of the items: the first ones, `max_failures:` at most
      attr_reader :failures
      # @return [Integer] all items that failed, and have no part in the sum
      attr_reader :failed
      # @return [Integer] items with a part in the sum
      attr_reader :count
      # @return [Integer] items that were dropped, see {DROPPED}
      attr_reader :dropped

      # @api private
      def initialize(sum, failures, failed, count, dropped)
        @sum = sum
        @failures = failures.freeze
        @failed = failed
        @count = count
        @dropped = dropped
        freeze
      end

      # @return [Boolean] whether no item failed
      def ok?
        failed.zero?
      end

      # @return [Integer] items of the dispatch
      def size
        count + dropped + failed
      end

      # @return [self]
      # @raise [ItemError, ItemTimeoutError, DispatchTimeoutError, CancelledError, ShutdownError] for the first Failure
      def check
        return self if ok?

        raise (failures.first || Failure.new(nil, ItemError.name, "#{failed} of #{size} items failed")).to_error
      end

      def to_s
        "#{count} of #{size} items in the sum, #{dropped} dropped, #{failed} failed"
      end

      def inspect
        "#<#{self.class} #{self}: #{sum.inspect}>"
      end
    end
  end
end
