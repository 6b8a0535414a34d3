# frozen_string_literal: true

require_relative "closer"
require_relative "stock"

module Ratomic
  class LocalPool
    # A Ractor's own side of the pool: its stock, which a forked child replaces, and which the end of the Ractor closes.
    class Room
      # @param farewell [Pool::Farewell] the Ractor's
      def initialize(size, factory, close, farewell)
        @size = size
        @factory = factory
        @closer = Closer.new(close)
        @lock = Thread::Mutex.new
        @parents = []
        set_up
        farewell.on_end { |thread, last| @stock.leave(thread, last) }
      end

      # @return [Stock]
      def stock
        return @stock if @process == Process.pid

        @lock.synchronize do
          unless @process == Process.pid
            # Kept for good: a client that is collected may be closed, and closing may talk to the parent's server.
            @parents << @stock
            set_up
          end
        end
        @stock
      end

      private

      def set_up
        @stock = Stock.new(@size, @factory, @closer)
        @process = Process.pid
      end
    end
  end
end
