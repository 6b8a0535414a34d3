# frozen_string_literal: true

module Ratomic
  module Workers
    # Something that happened in a pool, for loggers and tracers. Frozen and shareable.
    class Event
      # @return [Symbol] :dispatched, :completed, :failed, :cancelled, :expired, :overdue, :rejected, :worker_started,
      #   :worker_ended, :worker_abandoned, :paused, :fallback or :ended
      attr_reader :name
      # @return [String] name of the pool
      attr_reader :pool
      # @return [Float] seconds since the epoch
      attr_reader :time
      # @return [Integer, nil] number of the dispatch in this process
      attr_reader :dispatch
      # @return [Object, nil] the `context:` of the dispatch
      attr_reader :context
      # @return [String, nil] the `as:` of the dispatch
      attr_reader :as
      # @return [Hash{Symbol => Object}] what else there is to say: items:, seconds:, failure:, worker:; of
      #   :fallback callable:, backend: and reason:
      attr_reader :details

      # @api private
      def initialize(name, pool, batch, details)
        @name = name
        @pool = pool
        @time = Process.clock_gettime(Process::CLOCK_REALTIME)
        @dispatch = batch&.ticket
        @context = batch&.options&.context
        @as = batch&.options&.as
        @details = details
        Ractor.make_shareable(self)
      end

      def [](key)
        details[key]
      end

      # @return [Hash]
      def to_h
        told = { name: name, pool: pool, time: time, dispatch: dispatch, context: context, **details }
        as ? told.merge(as: as) : told
      end

      def inspect
        "#<#{self.class} #{to_h}>"
      end
    end
  end
end
