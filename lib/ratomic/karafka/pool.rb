# frozen_string_literal: true

require "singleton"

module Ratomic
  module Karafka
    # Karafka's deserialization pool, on a {Workers::Pool} of its own. Nothing runs before the first dispatch, and a
    # forked child (Karafka's swarm) starts again with its first one.
    #
    # The thread that dispatches, a listener's, never deserializes. If nothing can be dispatched (the pool is not
    # started or was shut down, there are too few messages, or the deserializer cannot be shared), the result is an
    # {Immediate}, and messages deserialize themselves as they do without a pool.
    class Pool
      include Singleton

      # Deserializers that are kept. The pool learns the cost of each by the object, so it knows nothing about a new
      # object.
      MAX_CALLABLES = 256

      class << self
        # @return [Interface]
        def interface
          @interface ||= Interface.own
        end

        # @api private
        attr_writer :interface
      end

      # @return [Integer] workers; 0 when not started
      attr_reader :size

      def initialize
        @lock = Mutex.new
        clear
      end

      # Makes the pool. A second call does nothing.
      #
      # @param concurrency [Integer] workers
      # @param min_payloads [Integer] fewer messages than this are left alone
      # @param results [:owned, :frozen] whether payloads belong to the consumer, who may change them, or are frozen
      # @return [void]
      def start(concurrency, min_payloads:, results: :owned)
        Workers::Interrupts.synchronize(@lock) do
          return if @pool

          @pool = Workers::Pool.new(size: concurrency, name: "karafka", results: results, min_batch: 0)
          @size = concurrency
          @min_payloads = min_payloads
        end
        nil
      end

      # @return [Boolean]
      def started?
        !@pool.nil?
      end

      # Returns at once. The messages stay as they are; the workers get their raw payloads.
      #
      # @param messages [Enumerable] with +size+, of objects with +raw_payload+
      # @param deserializer [#call] of a topic
      # @param distributor [#call, nil] one other than Karafka's own cuts the payloads into batches
      # @return [Future, Immediate]
      def dispatch_async(messages, deserializer, distributor = nil)
        pool = @pool
        return interface.immediate if pool.nil? || messages.empty? || messages.size < @min_payloads

        callable = callable_for(deserializer)
        return interface.immediate if callable.nil?

        batches = batches_of(messages.map(&:raw_payload), distributor)
        interface.future.new(batches.map { |batch| pool.dispatch_async(batch, callable) }, interface.error)
      rescue Workers::ShutdownError
        interface.immediate
      end

      # Waits until all that was dispatched is deserialized, and ends the workers. Later dispatches are {Immediate}s.
      #
      # @param timeout [Numeric, nil] seconds
      # @return [Boolean] false when the time was up
      def shutdown(timeout: nil)
        pool = @pool
        pool.nil? || pool.shutdown(timeout: timeout)
      end

      # Ends the workers and forgets everything, also the deserializers that could not be shared.
      # @return [void]
      def reset!
        Workers::Interrupts.synchronize(@lock) do
          @pool&.kill
          clear
        end
        nil
      end

      # @return [Hash{String => String}] why deserializers were left alone, by their class
      def refusals
        Workers::Interrupts.synchronize(@lock) { @refusals.dup }
      end

      private

      def interface
        self.class.interface
      end

      def clear
        @pool = nil
        @size = 0
        @min_payloads = 0
        @callables = {}.compare_by_identity
        @refusals = {}
      end

      def batches_of(payloads, distributor)
        return [payloads] if distributor.nil? || distributor.instance_of?(interface.usual)

        distributor.call(payloads, @size, min_payloads: @min_payloads)
      end

      # One for each deserializer: Workers learn the cost by callable.
      def callable_for(deserializer)
        Workers::Interrupts.synchronize(@lock) do
          return @callables[deserializer] if @callables.key?(deserializer)

          @callables.shift if @callables.size >= MAX_CALLABLES
          @callables[deserializer] = make_callable(deserializer)
        end
      end

      def make_callable(deserializer)
        Deserialize.new(deserializer, interface.message)
      rescue ShareableError => e
        @refusals[deserializer.class.name.to_s] = e.message
        nil
      end
    end
  end
end
