# frozen_string_literal: true

module Ratomic
  module Workers
    # One call of a callable with a sample, in a worker, for `explain(..., try: item)`.
    class TrialRun
      # Seconds that the call may take. Then it is interrupted.
      TIMEOUT_S = 10
      # Seconds to wait in addition, for a pool with much work in its queue.
      QUEUE_TIMEOUT_S = 5
      private_constant :QUEUE_TIMEOUT_S

      # @param pool [Pool]
      # @param results [:frozen, :owned]
      def initialize(pool, item, callable, results)
        @pool = pool
        @item = item
        @callable = callable
        @results = results
      end

      # Blocks until the item has run, for {TIMEOUT_S} at most and a little more.
      # @return [Hash{Symbol => Object}] frozen. :outcome is :returned, :dropped, :failed, :refused (the callable or
      #   the item, before it ran) or :late; :seconds, of all of it; :result, the name of the class of what came home;
      #   :failure and :remedy, Strings
      def to_h
        started = Clock.now
        answer = attempt
        answer.merge(seconds: Clock.now - started).freeze
      end

      private

      def attempt
        outcome(dispatch.value(timeout: TIMEOUT_S + QUEUE_TIMEOUT_S))
      rescue CallableError, ShareableError => e
        { outcome: :refused, failure: e.message }
      rescue TimeoutError => e
        { outcome: :late, failure: e.message }
      end

      def dispatch
        @pool.dispatch_async([@item], @callable, { min_batch: 0, timeout: TIMEOUT_S, item_timeout: TIMEOUT_S,
                                                   move: false,
                                                   results: @results })
      end

      def outcome(results)
        result, = results
        return { outcome: :dropped } if results.empty?
        return { outcome: :returned, result: Reflection.class_name_of(result) } unless Failure === result

        { outcome: :failed, failure: "#{result.exception_class}: #{result.message}", remedy: result.remedy }
      end
    end
    private_constant :TrialRun
  end
end
