# frozen_string_literal: true

require_relative "resource_factory"

module Ratomic
  class Pool
    # Makes new objects for those that were lost, in a thread of its own, so that a slow factory delays nobody else. If
    # the factory raises, it is called again after a pause, which doubles each time, until it makes an object or the
    # pool is closed.
    class Replenisher
      # Seconds between two calls of a factory that raises: the first pause and the longest.
      RETRY_PAUSES_S = (0.05..5.0)

      # @param channel [ServerChannel]
      # @param factory [#call]
      def initialize(channel, factory)
        @channel = channel
        @factory = factory
        @missing = 0
      end

      # @yield at the end of the thread
      # @return [Thread]
      def start(&finally)
        @thread = Workers::OwnThread.start("ratomic-pool-replenisher", place: "the replenisher of a pool") do
          make while order?
        ensure
          @factory.forget if @channel.closed? && ResourceFactory === @factory
          finally&.call
        end
      end

      # Waits for the end of the thread. It ends when the pool is closed.
      def join
        @thread&.join
      end

      private

      # Waits for an order, or until the next try is due.
      # @return [Boolean] false when the pool is closed
      def order?
        wait = @pause || (0 if @missing.positive?)
        order = wait ? @channel.orders.pop(timeout: wait) : @channel.orders.pop
        @missing += 1 if order
        !@channel.closed?
      end

      def make
        @channel.add(Starter.check(@factory.call))
        @missing -= 1
        @pause = nil
      rescue Exception => e # rubocop:disable Lint/RescueException -- whatever it is, the object is still missing
        @pause = @pause ? [@pause * 2, RETRY_PAUSES_S.end].min : RETRY_PAUSES_S.begin
        @channel.report([:factory_failed, ErrorRecord.of(e).to_s.freeze].freeze)
      end
    end
  end
end
