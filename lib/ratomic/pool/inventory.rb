# frozen_string_literal: true

require_relative "wait_queue"

module Ratomic
  class Pool
    # What the server knows of its objects, and the requests that wait. Each object is free, lent, or missing (lost, and
    # ordered from the {Replenisher}); the three numbers always add up to the size of the pool. Only the server's thread
    # uses it.
    class Inventory
      # @param channel [ServerChannel]
      # @param objects [Integer] how many will be added first
      def initialize(channel, objects)
        @channel = channel
        @free = []
        @lent = {} # number of the lease => number of the client
        @missing = objects
        @last_number = 0
        @wait_queue = WaitQueue.new(channel.waiting)
        @clients = {} # number => true, of clients whose Ractor has not ended
        @parked = {}.compare_by_identity # requests from Ractors that have ended
        @failure = nil
      end

      # @param failure [String] why the factory has not made the missing objects
      attr_writer :failure

      def add_client(client)
        @clients[client] = true
      end

      # The client's Ractor has ended: its objects are lost, and its requests will get none.
      def remove_client(client)
        @clients.delete(client)
        @wait_queue.remove_client(client).each { |request| park(request) }
        @lent.select { |_, holder| holder == client }.each_key { |number| lose(number) }
      end

      # Lends an object now, or lets the request wait.
      def lend_or_enqueue(request)
        return park(request) unless @clients.key?(request.client)
        return lend(request) if @wait_queue.empty? && !@free.empty?

        @wait_queue.push(request)
      end

      # Lends an object now, or refuses.
      def lend_or_refuse(request)
        serve
        @free.empty? || !@clients.key?(request.client) ? request.answer(refusal) : lend(request)
      end

      # A request that does not wait any more has its answer already: an object was sent before the withdrawal came.
      def withdraw(request)
        request.answer(refusal) if @wait_queue.delete(request) || @parked.delete(request)
      end

      # Keeps a request from a Ractor that has ended. The thread that made it is about to be killed, and will withdraw
      # it.
      def park(request)
        @parked[request] = true
      end

      # A thread of an ended Ractor may still return an object that counts as lost: one too many, so it is dropped.
      def take_back(number, object)
        @lent.delete(number) ? @free.push(object) : @channel.lent
      end

      def add(object)
        @free.push(object)
        @missing -= 1
        @failure = nil
      end

      def lose(number)
        order if @lent.delete(number)
      end

      # Lends while an object is free and a request waits.
      def serve
        lend(@wait_queue.shift) until @free.empty? || @wait_queue.empty?
      end

      def refuse_all
        @wait_queue.each { |request| request.answer(:closed) }
        @parked.each_key { |request| request.answer(:closed) }
      end

      private

      # The object is sent first, then the answer: a client that has its answer never waits at the port.
      def lend(request)
        request.port.send(@free.pop, move: true)
        @channel.lent
        @lent[@last_number += 1] = request.client
        request.answer(@last_number)
      rescue Ractor::Error, Ractor::ClosedError
        # The asking Ractor is ending, and the object that was being moved is gone.
        park(request)
        @channel.lent
        order
      end

      def order
        @missing += 1
        @channel.order
      end

      # @return [Array] how many are lent, wait and are missing, and why the factory failed
      def refusal
        [@lent.size, @wait_queue.size, @missing, @failure].freeze
      end
    end
  end
end
