# frozen_string_literal: true

require_relative "resource_factory"

module Ratomic
  class Pool
    # Makes objects anew for those that were lost, in a thread of its own: a slow factory holds up nobody.
    # A factory that raises is asked again, ever more slowly, until it makes one or the pool is closed.
    class Replenisher
      # Seconds between two tries, the first and the longest.
      PAUSES = (0.05..5.0)

      # @param link [ServerChannel]
      # @param factory [#call]
      def initialize(link, factory)
        @link = link
        @factory = factory
        @due = 0
      end

      # @yield at the end of the thread
      # @return [Thread]
      def start(&finally)
        @thread = Thread.new do
          Thread.handle_interrupt(Object => :immediate) { make while order? } # it inherits the mask of its maker
        ensure
          @factory.forget if @link.closed? && ResourceFactory === @factory
          finally&.call
        end
        @thread.name = "ratomic-pool-maker"
        Workers::OwnThread.mark(@thread)
      end

      # Waits for the end of the thread, which comes with that of the pool.
      def join
        @thread.join
      end

      private

      # Waits for an order, or for the time of the next try.
      def order?
        wait = @pause || (0 if @due.positive?)
        order = wait ? @link.orders.pop(timeout: wait) : @link.orders.pop
        @due += 1 if order
        !@link.closed?
      end

      def make
        @link.bring(Starter.check(@factory.call))
        @due -= 1
        @pause = nil
      rescue ClosedQueueError, Ractor::ClosedError
        nil
      rescue Exception => e # rubocop:disable Lint/RescueException -- whatever it is, the next object is still owed
        @pause = @pause ? [@pause * 2, PAUSES.end].min : PAUSES.begin
        @link.report([:failed, "#{e.class}: #{e.message}".freeze].freeze)
      end
    end
  end
end
