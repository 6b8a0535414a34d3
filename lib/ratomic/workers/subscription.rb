# frozen_string_literal: true

module Ratomic
  module Workers
    # A running subscription to a pool's events.
    class Subscription
      # @return [Queue] of events, closed when the subscription ends
      attr_reader :queue

      # @api private
      def initialize(engine, queue, thread)
        @subscribers = engine.subscribers
        @queue = queue
        @thread = thread
        @number = @subscribers.add(queue)
        cancel if engine.ended? # asked afterwards, because an engine that ends says so before it closes the queues
      end

      # Ends the subscription. Events that are in the queue already are still handed to the block.
      # @return [self]
      def cancel
        @subscribers.remove(@number)
        self
      end

      # Waits until the block has had the last event.
      # @param timeout [Numeric, nil] seconds
      # @return [Boolean] false when the time was up
      def join(timeout: nil)
        return true if @thread.nil?

        Clock.check(timeout)
        !@thread.join(timeout).nil?
      end

      # @return [String]
      def inspect
        "#<#{self.class} to a #{@thread ? "block" : "queue"}#{", ended" if @queue.closed?}>"
      end

      # Hands events to the block, in a thread of the Ractor that subscribed; without a block they go into the queue.
      # What the block raises is counted with the troubles of the statistics, shown once for each class, and ends
      # nothing.
      # @api private
      def self.start(engine, queue, block)
        made = kept = nil
        Interrupts.deferred { made = block ? to_block(engine, block) : new(engine, queue, nil) }
        kept = made
      ensure
        made&.cancel unless kept # an interrupt came: nobody has it, and the thread for the block would never end
      end

      def self.to_block(engine, block)
        queue = Queue.new(Subscribers::CAPACITY)
        thread = OwnThread.start("ratomic-#{engine.name}-events") do
          while (event = queue.pop)
            hand_on(engine, event, block)
          end
        end
        new(engine, queue, thread)
      end

      def self.hand_on(engine, event, block)
        block.call(event)
      rescue UserException => e
        engine.metrics.trouble(e, "a subscriber")
      end
      private_class_method :to_block, :hand_on
    end
  end
end
