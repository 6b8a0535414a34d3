# frozen_string_literal: true

require_relative "wait_queue"

module Ratomic
  class Pool
    # The server's books. Every object is in one of three: free, lent, or owed (lost, and ordered from the maker);
    # together they are the size of the pool, always. Beside them the line of waiting tickets.
    class Inventory
      # @param link [ServerChannel]
      # @param objects [Integer] how many are on their way
      def initialize(link, objects)
        @link = link
        @free = []
        @lent = {} # loan number => desk number
        @owed = objects
        @last = 0
        @waiting = WaitQueue.new(link.waiting)
        @desks = {} # numbers of those whose Ractor has not ended
        @parked = {}.compare_by_identity # tickets of the others
        @failure = nil
      end

      # @param failure [String] why the maker has not made what is owed
      attr_writer :failure

      def open_desk(desk)
        @desks[desk] = true
      end

      # The Ractor has ended: what it held is lost, and who waits there has nothing more to wait for.
      def close_desk(desk)
        @desks.delete(desk)
        @waiting.leave(desk).each { |ticket| park(ticket) }
        @lent.select { |_, holder| holder == desk }.each_key { |number| lose(number) }
      end

      # Lends at once, or puts the ticket into the line.
      def enter(ticket)
        return park(ticket) unless @desks.key?(ticket.desk)
        return lend(ticket) if @waiting.empty? && !@free.empty?

        @waiting.push(ticket)
      end

      # Lends at once, or not at all.
      def enter_or_refuse(ticket)
        serve
        @free.empty? || !@desks.key?(ticket.desk) ? ticket.answer(refusal) : lend(ticket)
      end

      # A ticket that is in no line any more has its answer already: an object that crossed the withdrawal.
      def withdraw(ticket)
        ticket.answer(refusal) if @waiting.delete(ticket) || @parked.delete(ticket)
      end

      # A thread whose Ractor has ended is about to be killed, and withdraws its ticket then.
      def park(ticket)
        @parked[ticket] = true
      end

      # Of a Ractor that has ended, a thread may still be giving back what was taken for lost and is being made anew.
      def take_back(number, object)
        @lent.delete(number) ? @free.push(object) : @link.lent
      end

      def add(object)
        @free.push(object)
        @owed -= 1
        @failure = nil
      end

      def lose(number)
        order if @lent.delete(number)
      end

      # Lends while there is something free and somebody waiting.
      def serve
        lend(@waiting.shift) until @free.empty? || @waiting.empty?
      end

      def turn_all_away
        @waiting.each { |ticket| ticket.answer(:closed) }
        @parked.each_key { |ticket| ticket.answer(:closed) }
      end

      private

      # The object first, then the answer that tells of it.
      def lend(ticket)
        ticket.port.send(@free.pop, move: true)
        @link.lent
        @lent[@last += 1] = ticket.desk
        ticket.answer(@last)
      rescue Ractor::Error, Ractor::ClosedError
        # The asking Ractor is ending; what was being moved to it is gone.
        park(ticket)
        @link.lent
        order
      end

      def order
        @owed += 1
        @link.order
      end

      # @return [Array] how many are lent, wait, are owed, and why the maker failed
      def refusal
        [@lent.size, @waiting.size, @owed, @failure].freeze
      end
    end
  end
end
