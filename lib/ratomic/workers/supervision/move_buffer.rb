# frozen_string_literal: true

module Ratomic
  module Workers
    # Keeps moved items, in parcels, after the caller has handed them over and until a worker is ready for them.
    # Meanwhile they belong to the coordinator's Ractor.
    class MoveBuffer
      class << self
        # @return [Integer] number of parcels for so many items
        def number(items, workers)
          items.fdiv(items_in(items, workers)).ceil
        end

        # Hands the items over to the coordinator. After that the caller's references raise `Ractor::MovedError` (not on
        # a Ruby without Ractors).
        # @param engine [Engine]
        # @param batch [Batch]
        # @param items [Array] from {Moving.prepare}; the list itself is not moved
        def hand_over(engine, batch, items)
          count = items_in(items.size, engine.size)
          (0...items.size).step(count) { |first| send_parcel(engine, batch, first, items[first, count]) }
        end

        # Takes the items from the caller without sending them to another Ractor: its references raise MovedError.
        # @return [Array] of the items, with a {Transfer::Refused} for one that can be neither moved nor copied
        def take_over(items, first = 0)
          items.each_with_index.map { |item, offset| alone(item, first + offset) }
        end

        private

        def items_in(items, workers)
          (items / (workers * 4)).clamp(1, 256)
        end

        def send_parcel(engine, batch, first, items)
          engine.mailbox.send([:parcel, batch.ticket, first, items], move: true)
        rescue Ractor::ClosedError, ::ClosedQueueError
          raise ShutdownError, engine.refusal
        rescue StandardError, SystemStackError # {Moving} did not find that it cannot be moved
          engine.mailbox.send([:parcel, batch.ticket, first, take_over(items, first)], move: true)
        end

        # Moves one item through a port and back. If that fails, the item crosses as a copy, or becomes a Failure.
        def alone(item, index)
          trial = Mailbox.open
          trial.send([item], move: true)
          trial.receive[0]
        rescue StandardError, SystemStackError
          Transfer.pack_one(item, index)
        ensure
          Mailbox.close(trial)
        end
      end

      def initialize
        @waiting = {} # ticket => parcels
        @ready = {}   # ticket => ports of workers that came before their parcel
      end

      # Called when a parcel of a dispatch has come.
      def put(ticket, first, items)
        ports = @ready[ticket]
        return (@waiting[ticket] ||= []) << [first, items] unless ports

        port = ports.shift
        @ready.delete(ticket) if ports.empty?
        hand(port, [first, items])
      end

      # Called when a worker is ready for a parcel of the batch.
      def ready(batch, port)
        return hand(port, nil) if batch.completion.complete?

        parcels = @waiting[ticket = batch.ticket]
        return (@ready[ticket] ||= []) << port unless parcels

        parcel = parcels.shift
        @waiting.delete(ticket) if parcels.empty?
        hand(port, parcel)
      end

      # Called when the dispatch has ended early.
      def drop(ticket)
        @waiting.delete(ticket)
        @ready.delete(ticket)&.each { |port| hand(port, nil) }
      end

      private

      # @param parcel [Array, nil] nil when there is nothing to wait for
      def hand(port, parcel)
        port.send(parcel, move: true)
      rescue *Mailbox::CLOSED
        nil # who waited there has died. The claim for the parcel is audited, and the parcel is lost with that claim
      end
    end
  end
end
