# frozen_string_literal: true

module Ratomic
  class Pool
    # The tickets that wait for an object, first come first. Everybody can see how many they are: while there are none,
    # a returned object needs no hurry, and the server is not woken for it.
    class WaitQueue
      # @param length [Counter] kept at the number of tickets
      def initialize(length)
        @tickets = {}.compare_by_identity
        @length = length
      end

      def push(ticket)
        @tickets[ticket] = true
        @length.increment
      end

      # @return [CheckoutRequest] the first
      def shift
        ticket, = @tickets.shift
        @length.decrement
        ticket
      end

      # @return [Boolean] whether it was in the line
      def delete(ticket)
        @tickets.delete(ticket) && @length.decrement && true
      end

      # @return [Array<CheckoutRequest>] those of one desk, which leave
      def leave(desk)
        @tickets.keys.select { |ticket| ticket.desk == desk && delete(ticket) }
      end

      def each(&block)
        @tickets.each_key(&block)
      end

      def size
        @tickets.size
      end

      def empty?
        @tickets.empty?
      end
    end
  end
end
