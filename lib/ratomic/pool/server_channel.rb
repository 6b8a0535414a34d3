# frozen_string_literal: true

module Ratomic
  class Pool
    # How clients reach the pool's server. Shareable; one for each process that uses the pool (a forked child makes a
    # new one).
    #
    # Messages go into +inbox+, a native queue whose waits are cheap and can be interrupted; {Server} has the list of
    # them. Objects go into +port+, because only a port can move objects. The object is always sent before the message
    # that announces it, so the server never waits at the port. The objects are all alike, so it does not matter which
    # of those in the port a message announces.
    class ServerChannel
      # @return [Ratomic::Queue] messages to the server; closed when the pool is
      attr_reader :inbox
      # @return [Ractor::Port] objects to the server
      attr_reader :port
      # @return [Ratomic::Queue] numbers of leases whose objects came back; the server reads it with every message
      attr_reader :returns
      # @return [Ratomic::Counter] how many requests wait
      attr_reader :waiting
      # @return [Ratomic::Queue] orders for {Replenisher}
      attr_reader :orders
      # @return [Integer] pid of its process
      attr_reader :process

      # Capacity of +returns+. When it is full, a return is sent as a message of its own.
      MAX_RETURNS = 1024

      # @param size [Integer] objects in the pool
      def initialize(inbox, port, orders, size)
        @inbox = inbox
        @port = port
        @orders = orders
        @size = size
        @returns = Queue.new(MAX_RETURNS)
        @waiting = Counter.new
        @free = Counter.new
        @clients = Counter.new
        @process = Process.pid
        freeze
      end

      # Moves a new object to the server.
      #
      # @return [void]
      # @raise [Ractor::Error] if it cannot be moved
      # @raise [Ractor::ClosedError, ClosedQueueError] if the pool is closed
      def add(object)
        @port.send(object, move: true)
        @inbox.push(:made)
        @free.increment
      end

      # Moves an object back to the server, and wakes the server only if a request waits: that halves its wake-ups.
      #
      # No wake-up is lost: here the return is stored first and the number of waiting requests read afterwards; the
      # server lets a request wait first and reads the returns afterwards. So at least one of the two sees the other.
      # `increment(0)` is a read that the processor cannot move before the store (`read` is not).
      #
      # @param number [Integer] of the lease that ends
      # @return [void]
      # @raise (see #add)
      def send_back(object, number)
        @port.send(object, move: true)
        @returns.try_push(number) || @inbox.push([:back, number].freeze)
        @free.increment
        @inbox.push(:wake) if @waiting.increment(0).positive?
      end

      # @param message [Object] shareable; dropped if the pool is closed
      def report(message)
        @inbox.push(message)
      rescue ClosedQueueError
        nil
      end

      # Asks {Replenisher} for one more object.
      def order
        @orders.push(true) # never full: there is room for all objects of the pool
      rescue ClosedQueueError
        nil
      end

      # @return [Integer]
      def free
        closed? ? 0 : @free.read.clamp(0, @size)
      end

      # The server has lent an object, or dropped one.
      def lent
        @free.decrement
      end

      # @return [Integer] a number for one more client
      def next_client_number
        @clients.increment
      end

      def close
        @inbox.close
        @orders.close
        @returns.close
      end

      def closed?
        @inbox.closed?
      end
    end
  end
end
