# frozen_string_literal: true

require_relative "inventory"
require_relative "ractor_monitor"

module Ratomic
  class Pool
    # Keeps the free objects and decides which request gets the next. It runs in a Ractor of its own, so that a busy
    # main Ractor delays nobody. The main thread of that Ractor alone uses it and the {Inventory}, so there is no lock.
    # It handles one message after the other, and handling one waits for nobody, except for the start of the
    # {RactorMonitor} with the first client.
    #
    # Messages come through {ServerChannel#inbox}:
    #
    #   message                             sender           meaning
    #   a CheckoutRequest                   RactorClient     lend an object, or let the request wait
    #   [:at_once, request]                 RactorClient     lend an object now, or refuse
    #   [:withdraw, request]                RactorClient     the thread does not wait any more
    #   :wake                               ServerChannel    objects came back while requests wait: look at `returns`
    #   [:back, number]                     ServerChannel    the object of this lease came back (`returns` was full)
    #   [:lost, number]                     RactorClient     the object of this lease will not come back
    #   [:client_added, number, ractor]     RactorClient     a Ractor uses the pool; it is to be monitored, unless nil
    #   [:ractor_ended, number]             RactorMonitor    that Ractor has ended; 0 is the one that has the factory
    #   :made                               ServerChannel    a new object is in the port
    #   [:factory_failed, text]             Replenisher      the factory raised
    #
    # It answers each request once ({CheckoutRequest#answer}):
    #
    #   number                              the lease; its object is in the port of the client already
    #   [lent, waiting, missing, failure]   no object: the request was `:at_once`, or was withdrawn
    #   :closed                             the pool is closed
    #
    # It orders a new object for each that is lost ({ServerChannel#order}); the {Replenisher} makes it. To the
    # {RactorMonitor} it sends `[number, ractor]`, a Ractor to be monitored, and `:stop`.
    class Server
      # Seconds between two attempts to start the {RactorMonitor} where Ruby can make no Ractor.
      MONITOR_RETRY_INTERVAL_S = 0.1

      # @param channel [ServerChannel]
      # @param objects [Integer] how many will be added first
      # @param factory_ractor [Ractor, nil] the Ractor that has the factory: the pool ends with it
      def initialize(channel, objects, factory_ractor)
        @channel = channel
        @inventory = Inventory.new(channel, objects)
        @unmonitored = # pairs of the number with which the end of a Ractor will be reported, and the Ractor
          factory_ractor ? [[0, factory_ractor].freeze] : []
      end

      # Runs until the pool is closed or the program ends. An interrupt can end the wait for a message, never the
      # handling of one.
      def run
        Workers::Interrupts.deferred do
          monitor
          while (message = receive)
            drain_returns
            handle(message)
            monitor
            @inventory.serve
          end
        ensure
          finish
        end
      end

      private

      # @return [Object, nil] nil when the pool is closed
      def receive
        loop do
          message = Workers::Interrupts.on_blocking { await_message }
          return message if message || @channel.closed?

          monitor
        end
      end

      # A loop in a Ractor makes no keyword calls (CRuby Bug #22075).
      def await_message
        @monitor_at ? @channel.inbox.pop_soon(Workers::Clock.left(@monitor_at)) : @channel.inbox.pop
      end

      def handle(message)
        case message
        when CheckoutRequest then lend_or_enqueue(message)
        when :made then @inventory.add(@channel.port.receive)
        when Array then other(*message)
        end
      end

      def other(kind, subject, ractor = nil)
        case kind
        when :at_once then @inventory.lend_or_refuse(subject)
        when :withdraw then @inventory.withdraw(subject)
        when :back then returned(subject)
        when :lost then @inventory.lose(subject)
        when :client_added then client_added(subject, ractor)
        when :ractor_ended then ractor_ended(subject)
        when :factory_failed then @inventory.failure = subject
        end
      end

      # The request waits first, then the returned objects are looked at: see {ServerChannel#send_back}.
      def lend_or_enqueue(request)
        @inventory.lend_or_enqueue(request)
        drain_returns
      end

      def drain_returns
        while (number = @channel.returns.try_pop)
          returned(number)
        end
      end

      def returned(number)
        @inventory.take_back(number, @channel.port.receive)
      end

      def client_added(client, ractor)
        @inventory.add_client(client)
        @unmonitored << [client, ractor].freeze if ractor
      end

      def ractor_ended(client)
        client.zero? ? @channel.close : @inventory.remove_client(client)
      end

      # Hands the Ractors of new clients to the monitor. If Ruby can make no Ractor for it, that is tried again later.
      # (A Ractor that has ended by then is reported all the same.)
      def monitor
        return if @unmonitored.empty? || (@monitor_at && Workers::Clock.now < @monitor_at)

        @monitor ||= RactorMonitor.start(@channel.inbox)
        @monitor_at = nil
        @monitor << @unmonitored.shift until @unmonitored.empty?
      rescue ThreadError
        @monitor_at = Workers::Clock.now + MONITOR_RETRY_INTERVAL_S
      end

      # Answers every request, also those still in the inbox when an error ended the server.
      def finish
        @channel.close
        while (message = @channel.inbox.try_pop)
          kind, subject = message
          @inventory.park(message) if kind.is_a?(CheckoutRequest)
          @inventory.park(subject) if kind == :at_once
        end
        @inventory.refuse_all
        stop_monitor
      end

      def stop_monitor
        @monitor&.send(:stop)
      rescue Ractor::ClosedError
        nil # the program ends, and the monitor's Ractor has ended already
      end
    end
  end
end
