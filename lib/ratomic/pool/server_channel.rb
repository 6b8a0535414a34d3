# frozen_string_literal: true

module Ratomic
  class Pool
    # What ties everybody to the pool's server: shareable, one for each process that uses the pool.
    #
    # A message goes into the +inbox+, whose native waits are cheap and can be interrupted. An object goes into the
    # +port+ (nothing else can move one), always before the message that tells of it; so the server never waits at the
    # port. Objects are all alike: which of those in the port a message brings does not matter, only that there is one.
    class ServerChannel
      # @return [Ratomic::Queue] messages to the server; closed when the pool is
      attr_reader :inbox
      # @return [Ractor::Port] objects to the server
      attr_reader :port
      # @return [Ratomic::Queue] numbers of the loans whose objects have come back; read with every message
      attr_reader :returns
      # @return [Ratomic::Counter] how many tickets wait
      attr_reader :waiting
      # @return [Ratomic::Queue] orders to the maker
      attr_reader :orders
      # @return [Integer] the process that it belongs to
      attr_reader :process

      # Loans that may have come back between two messages; those beyond go to the server at once.
      RETURNS = 1024

      # @param size [Integer] objects in the pool
      def initialize(inbox, port, orders, size)
        @inbox = inbox
        @port = port
        @orders = orders
        @size = size
        @returns = Queue.new(RETURNS)
        @waiting = Counter.new
        @free = Counter.new
        @desks = Counter.new
        @process = Process.pid
        freeze
      end

      # Moves a new object to the server.
      #
      # @return [void]
      # @raise [Ractor::Error] if it cannot be moved
      # @raise [Ractor::ClosedError, ClosedQueueError] if the pool is closed
      def bring(object)
        @port.send(object, move: true)
        @inbox.push(:made)
        @free.increment
      end

      # Moves an object back to the server, which is woken for it only if somebody waits: that halves the number of
      # times that it wakes. The server does it the other way round (a ticket into the line first, then a look at the
      # returns), so that at least one of the two sees the other. Hence the increment by 0: a read that is not moved up.
      #
      # @param number [Integer] the loan that ends
      # @return [void]
      # @raise (see #bring)
      def bring_back(object, number)
        @port.send(object, move: true)
        @returns.try_push(number) || @inbox.push([:back, number].freeze)
        @free.increment
        @inbox.push(:returned) if @waiting.increment(0).positive?
      end

      # @param message [Object] shareable; dropped if the pool is closed
      def report(message)
        @inbox.push(message)
      rescue ClosedQueueError
        nil
      end

      # Asks the maker for one more object.
      def order
        @orders.push(true) # never full: there is room for all objects of the pool
      rescue ClosedQueueError
        nil
      end

      # @return [Integer]
      def free
        closed? ? 0 : @free.read.clamp(0, @size)
      end

      # The server has lent one.
      def lent
        @free.decrement
      end

      # @return [Integer] a number for one more Ractor that uses the pool
      def new_desk
        @desks.increment
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
