# frozen_string_literal: true

require_relative "then_guard"

module Ratomic
  module Workers
    # The future of a reduction, see {Pool#reduce_async}. Workers return partial sums, one for each chunk. {#value}
    # merges them in the calling thread, at each call again. Frozen, and shareable if the callable and the block are.
    class Reducing
      include ThenGuard

      # @api private
      # @param future [Future] of the partial sums
      # @param fold [Fold]
      # @param max_failures [Integer] Failures that are kept
      def initialize(future, fold, max_failures)
        @future = future
        @fold = fold
        @max_failures = max_failures
        freeze
      end

      # Blocks as {Future#value} does, and runs the merge in the calling thread.
      # @param timeout [Numeric, nil] seconds; nil waits for ever, 0 does not wait
      # @return [Reduction]
      # @raise [WaitTimeoutError] with the counts; call it again later
      # @raise what the merge raises
      def value(timeout: nil)
        sum = nil
        count = 0
        failures = []
        @future.value(timeout: timeout).each do |part|
          if Failure === part
            failures << part if failures.size < @max_failures
          elsif part.count.positive?
            sum = @fold.merge(count.zero? ? @fold.fresh : sum, part.sum)
            count += part.count
          end
        end
        sum = @fold.fresh if count.zero?
        dropped = @future.dropped
        Reduction.new(sum, failures, size - count - dropped, count, dropped)
      end

      # As {#value}, but raises the first Failure.
      # @return [Reduction]
      # @raise [ItemError, ItemTimeoutError, DispatchTimeoutError, CancelledError, ShutdownError, WaitTimeoutError]
      def value!(timeout: nil)
        value(timeout: timeout).check
      end

      # @see Future#wait
      def wait(timeout: nil)
        @future.wait(timeout: timeout)
      end

      # @see Future#ready?
      def ready?
        @future.ready?
      end

      # Items that were folded before are in the sum.
      # @see Future#cancel
      def cancel(interrupt: false)
        @future.cancel(interrupt: interrupt)
      end

      # @see Future#cancelled?
      def cancelled?
        @future.cancelled?
      end

      # @see Future#progress
      def progress
        @future.progress
      end

      # @see Future#size
      def size
        @future.size
      end

      # @see Failing#failed?
      def failed?
        @future.failed?
      end

      def inspect
        "#<#{self.class} #{progress}>"
      end
    end
  end
end
