# frozen_string_literal: true

require_relative "closer"
require_relative "resource_stack"

module Ratomic
  class LocalPool
    # A Ractor's own side of the pool: its stock, which a forked child replaces, and which the end of the Ractor closes.
    class RactorPool
      def initialize(size, factory, close)
        @size = size
        @factory = factory
        @closer = Closer.new(close)
        @lock = Thread::Mutex.new
        set_up
      end

      # @return [ResourceStack]
      def stock
        return @stock if @process == Process.pid

        @lock.synchronize { set_up unless @process == Process.pid }
        @stock
      end

      # @return [Array] those that were made here, or before a fork in the parent
      def resources
        @stock.resources
      end

      # A thread of the Ractor ends: see {ResourceStack#leave}.
      def leave(thread, last)
        @stock.leave(thread, last)
      end

      private

      def set_up
        @stock = ResourceStack.new(@size, @factory, @closer)
        @process = Process.pid
      end
    end
  end
end
