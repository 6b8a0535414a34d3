# frozen_string_literal: true

module Ratomic
  module Workers
    # Who gets a pool's events: native queues, so that any thread of any worker hands an event on without waiting. One
    # that is full loses events, which are counted.
    class Subscribers
      CAPACITY = 1024

      # @return [Counter] events that found a full queue
      attr_reader :dropped

      # @param caller_runs_cache [CallerRunsCache] of callers, who do not look here
      def initialize(caller_runs_cache)
        @caller_runs_cache = caller_runs_cache
        @queues = Map.new
        @numbers = Counter.new
        @dropped = Counter.new
        freeze
      end

      # Asked before an event is made.
      def none?
        @queues.empty?
      end

      # @param queue [Queue]
      # @return [Integer] number for {#remove}
      def add(queue)
        @caller_runs_cache.suspend
        @queues[number = @numbers.increment] = queue
        number
      end

      def remove(number)
        return unless (queue = @queues.delete(number))

        @caller_runs_cache.resume
        queue.close
      end

      # @param event [Event]
      def tell(event)
        @queues.each_pair { |number, queue| hand(number, queue, event) }
      end

      # The pool has ended: no more events.
      def close
        @queues.keys.each { |number| remove(number) }
      end

      private

      def hand(number, queue, event)
        queue.try_push(event) || @dropped.increment
      rescue ::ClosedQueueError # by its owner, who wants no more
        remove(number)
      end
    end
  end
end
