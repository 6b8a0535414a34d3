# frozen_string_literal: true

require_relative "inventory"
require_relative "ractor_monitor"

module Ratomic
  class Pool
    # Keeps the free objects and decides who gets the next. It lives in a Ractor of its own, so that a busy main Ractor
    # holds nobody up, and takes one message after the other; nothing that it does waits for anybody.
    class Server
      # @param link [ServerChannel]
      # @param objects [Integer] how many are on their way
      # @param home [Ractor, nil] a Ractor that the pool ends with
      def initialize(link, objects, home)
        @link = link
        @ledger = Inventory.new(link, objects)
        watch(0, home) if home
      end

      # Until the pool is closed, or the program ends: an interrupt ends the wait for a message, never the work on one.
      def run
        Thread.handle_interrupt(Waiting::NEVER) do
          while (message = Thread.handle_interrupt(Waiting::ON_BLOCKING) { @link.inbox.pop })
            collect
            handle(message)
            @ledger.serve
          end
        ensure
          finish
        end
      end

      private

      def handle(message)
        case message
        when CheckoutRequest then enter(message)
        when :made then @ledger.add(@link.port.receive)
        when Array then other(*message)
        end
      end

      def other(kind, subject, ractor = nil)
        case kind
        when :at_once then @ledger.enter_or_refuse(subject)
        when :withdraw then @ledger.withdraw(subject)
        when :back then returned(subject)
        when :lost then @ledger.lose(subject)
        when :opened then opened(subject, ractor)
        when :ended then ended(subject)
        when :failed then @ledger.failure = subject
        end
      end

      # First in the line, then a look at what came back: whoever returned something before that saw nobody waiting.
      def enter(ticket)
        @ledger.enter(ticket)
        collect
      end

      def collect
        while (number = @link.returns.try_pop)
          returned(number)
        end
      end

      def returned(number)
        @ledger.take_back(number, @link.port.receive)
      end

      def opened(desk, ractor)
        @ledger.open_desk(desk)
        watch(desk, ractor) if ractor
      end

      def ended(desk)
        desk.zero? ? @link.close : @ledger.close_desk(desk)
      end

      # @param number [Integer] what the end of the Ractor will be reported as
      def watch(number, ractor)
        @watch ||= RactorMonitor.start(@link.inbox)
        @watch << [number, ractor].freeze
      end

      # Every ticket gets its answer, also one that was never looked at because an error ended the server.
      def finish
        @link.close
        while (message = @link.inbox.try_pop)
          kind, subject = message
          @ledger.park(message) if kind.is_a?(CheckoutRequest)
          @ledger.park(subject) if kind == :at_once
        end
        @ledger.turn_all_away
        stop_watch
      end

      def stop_watch
        @watch&.send(:stop)
      rescue Ractor::ClosedError
        nil # the program ends, and the other Ractor was first
      end
    end
  end
end
