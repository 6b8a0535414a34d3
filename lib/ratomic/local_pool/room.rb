# frozen_string_literal: true

require_relative "closer"
require_relative "stock"

module Ratomic
  class LocalPool
    # A Ractor's own side of the pool: its stock, which a forked child replaces, and which the end of the Ractor closes.
    class Room
      # Seconds that a thread which ends together with its Ractor gets to finish with its resource.
      PATIENCE = 1

      def initialize(size, factory, close)
        @size = size
        @factory = factory
        @closer = Closer.new(close)
        @lock = Thread::Mutex.new
        @parents = []
        open
        watch_end_of_ractor unless Ractor.current == Ractor.main
      end

      # @return [Stock]
      def stock
        return @stock if @process == Process.pid

        @lock.synchronize do
          unless @process == Process.pid
            # Kept for good: a client that is collected may be closed, and closing may talk to the parent's server.
            @parents << @stock
            open
          end
        end
        @stock
      end

      private

      def open
        @stock = Stock.new(@size, @factory, @closer)
        @process = Process.pid
      end

      # A Ractor that ends, ends its threads, and their +ensure+ runs. Nothing else tells a Ractor of its own end.
      def watch_end_of_ractor
        ready = Thread::Queue.new
        Thread.new(@stock) do |stock|
          ready << true
          loop { sleep }
        ensure
          stock.close_for_good(PATIENCE)
        end.name = "ratomic-local-pool"
        ready.pop
      end
    end
  end
end
