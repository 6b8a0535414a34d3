# frozen_string_literal: true

module Ratomic
  module Workers
    # The queues that get the events of a pool. They are native queues, so each thread of a worker can push without
    # waiting. Events that find a full queue are lost, and counted.
    class Subscribers
      CAPACITY = 1024

      # @return [Counter] events that found a full queue
      attr_reader :dropped

      # @param caller_runs_cache [CallerRunsCache] suspended while there are subscribers: callers that find their
      #   callable in it make no events
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
