# frozen_string_literal: true

require_relative "line"
require_relative "watch"

module Ratomic
  class Pool
    # Keeps the free objects and decides who gets the next. It lives in a Ractor of its own, so that a busy main Ractor
    # holds nobody up, and takes one message after the other; nothing that it does waits for anybody.
    #
    # Every object is in one of three books: free, lent, or owed (lost, and ordered from the maker). Together they are
    # the size of the pool, always.
    class Server
      # @param link [Link]
      # @param objects [Integer] how many are on their way
      # @param home [Ractor, nil] a Ractor that the pool ends with
      def initialize(link, objects, home)
        @link = link
        @free = []
        @waiting = Line.new(link.waiting)
        @lent = {} # loan number => desk number
        @desks = {} # numbers of those whose Ractor has not ended
        @parked = {}.compare_by_identity # tickets of the others
        @owed = objects
        @last = 0
        @failure = nil
        watch(0, home) if home
      end

      # Until the pool is closed, or the program ends: an interrupt ends the wait for a message, never the work on one.
      def run
        Thread.handle_interrupt(Waiting::NEVER) do
          while (message = Thread.handle_interrupt(Waiting::ON_BLOCKING) { @link.inbox.pop })
            handle(message)
          end
        ensure
          finish
        end
      end

      private

      def handle(message)
        collect
        case message
        when Ticket then take(message)
        when :made then made
        when :returned then serve
        else other(*message)
        end
      end

      def other(kind, subject, ractor = nil)
        case kind
        when :at_once then at_once(subject)
        when :withdraw then withdraw(subject)
        when :lost then lost(subject)
        when :back then back(subject)
        when :opened then opened(subject, ractor)
        when :ended then ended(subject)
        when :failed then @failure = subject
        end
      end

      def opened(desk, ractor)
        @desks[desk] = true
        watch(desk, ractor) if ractor
      end

      # @param number [Integer] what the end of the Ractor will be reported as
      def watch(number, ractor)
        @watch ||= Watch.start(@link.inbox)
        @watch << [number, ractor].freeze
      end

      # Every ticket gets its answer, also one that was never looked at because an error ended the server.
      def finish
        @link.close
        while (message = @link.inbox.try_pop)
          kind, subject = message
          @parked[message] = true if kind.is_a?(Ticket)
          @parked[subject] = true if kind == :at_once
        end
        @waiting.each { |ticket| ticket.answer(:closed) }
        @parked.each_key { |ticket| ticket.answer(:closed) }
        stop_watch
      end

      def stop_watch
        @watch&.send(:stop)
      rescue Ractor::ClosedError
        nil # the program ends, and the other Ractor was first
      end

      # A thread whose Ractor has ended is about to be killed and withdraws its ticket then.
      def take(ticket)
        return @parked[ticket] = true unless @desks.key?(ticket.desk)
        return lend(ticket) if @waiting.empty? && !@free.empty?

        # First in the line, then a look at what came back: whoever returned something before that saw nobody waiting.
        @waiting.push(ticket)
        collect
        serve
      end

      def at_once(ticket)
        @free.empty? || !@desks.key?(ticket.desk) ? ticket.answer(refusal) : take(ticket)
      end

      # A ticket that is in the line no longer has its answer already: an object that crossed the withdrawal.
      def withdraw(ticket)
        ticket.answer(refusal) if @waiting.delete(ticket) || @parked.delete(ticket)
      end

      def collect
        while (number = @link.returns.try_pop)
          returned(number)
        end
      end

      # Of a Ractor that has ended, a thread may still be giving back what was taken for lost and is being made anew.
      def returned(number)
        object = @link.port.receive
        @lent.delete(number) ? @free.push(object) : @link.lent
      end

      def back(number)
        returned(number)
        serve
      end

      def made
        @free.push(@link.port.receive)
        @owed -= 1
        @failure = nil
        serve
      end

      def serve
        lend(@waiting.shift) until @free.empty? || @waiting.empty?
      end

      # The object first, then the answer that tells of it.
      def lend(ticket)
        ticket.port.send(@free.pop, move: true)
        @link.lent
        @lent[@last += 1] = ticket.desk
        ticket.answer(@last)
      rescue Ractor::Error, Ractor::ClosedError
        # The asking Ractor is ending; what was being moved to it is gone.
        @parked[ticket] = true
        @link.lent
        order
      end

      def lost(number)
        order if @lent.delete(number)
      end

      def ended(desk)
        return @link.close if desk.zero?

        @desks.delete(desk)
        @waiting.leave(desk).each { |ticket| @parked[ticket] = true }
        @lent.select { |_, holder| holder == desk }.each_key { |number| lost(number) }
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
