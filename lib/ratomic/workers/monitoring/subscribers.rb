# frozen_string_literal: true

module Ratomic
  module Workers
    # The subscribers to the events of a pool, each with a queue. Workers push events into the queues and never wait: if
    # a queue is full, the event is lost and counted. The queues are native, so that every Ractor can push.
    class Subscribers
      CAPACITY = 1024

      # @return [Counter] events that found a full queue
      attr_reader :dropped

      # @param caller_runs_cache [CallerRunsCache] suspended while there are subscribers, because a caller that finds
      #   its callable there makes no events
      def initialize(caller_runs_cache)
        @caller_runs_cache = caller_runs_cache
        @queues = Map.new
        @numbers = Counter.new
        @dropped = Counter.new
        freeze
      end

      # Asked before an event is made: without subscribers none is made.
      def none?
        @queues.empty?
      end

      # @param queue [Queue]
      # @return [Integer] number for {#remove}
      def add(queue)
        Interrupts.deferred do # an interrupt in between would leave the cache suspended
          @caller_runs_cache.suspend
          @queues[number = @numbers.increment] = queue
          number
        end
      end

      def remove(number)
        Interrupts.deferred do # the queue that is in the Map no more is found by nobody else
          next unless (queue = @queues.delete(number))

          @caller_runs_cache.resume
          queue.close
        end
      end

      # @param event [Event]
      def tell(event)
        @queues.each_pair { |number, queue| hand(number, queue, event) }
      end

      # Closes all queues when the pool has ended.
      def close
        @queues.keys.each { |number| remove(number) }
      end

      private

      def hand(number, queue, event)
        queue.try_push(event) || @dropped.increment
      rescue ::ClosedQueueError # the subscriber has closed its queue
        remove(number)
      end
    end
  end
end
