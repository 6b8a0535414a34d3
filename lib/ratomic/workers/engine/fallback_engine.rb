# frozen_string_literal: true

require_relative "engine"

module Ratomic
  module Workers
    # The second engine of a pool of Ractors with `fallback:`. It runs items that cannot run in a Ractor, in threads of
    # the main Ractor or in processes. It has its own queue, workers and coordinator. It shares counters and subscribers
    # with the first engine, its primary, and ends with it.
    #
    # A part of a batch that is run again here has the completion of that batch, so the caller gets its results as
    # usual.
    class FallbackEngine < Engine
      # Starts one, in the main Ractor.
      # @param primary [Engine]
      # @param settings [Settings]
      # @raise [ShutdownError] if the primary has ended
      # @raise [ThreadError]
      def self.start(primary, settings)
        pool, = Pool::RUNNING[primary.number]
        raise ShutdownError, primary.refusal unless pool

        engine = new(primary, settings, Mailbox.open)
        Pool::RUNNING[engine.number] = [pool, engine].freeze
        Backend.watch_over(Coordinator.new(engine))
        started = engine
      ensure
        Pool::RUNNING.delete(engine.number) if engine && !started
      end

      # @param primary [Engine]
      def initialize(primary, settings, mailbox)
        @primary = primary
        super(settings, mailbox)
      end

      # @see Engine#numbers
      def numbers
        [number, @primary.number]
      end

      # @see Engine#beside?
      def beside?
        true
      end

      # @see Engine#open?
      def open?
        super && @primary.open?
      end

      # @see Engine#wind_up
      def wind_up
        super
        @primary.wind_up
      end

      # @see Engine#elsewhere?
      def elsewhere?(batch, index)
        @primary.fallback.has?(batch.ticket, index) == false
      end

      # @see Engine#divided?
      def divided?(batch)
        @primary.divided?(batch)
      end

      # @see Engine#forget
      def forget(batch)
        super
        @primary.fallback.drop(batch.ticket)
      end

      private

      # The primary reports the end of the pool, not this engine.
      def tell_end
        @primary.post(WIND_UP)
      end

      def make_shared_counts
        @metrics = @primary.metrics
        @subscribers = @primary.subscribers
        @accepted = @primary.accepted
        @finished = @primary.finished
        @workers_started = @primary.workers_started
      end
    end
    private_constant :FallbackEngine
  end
end
