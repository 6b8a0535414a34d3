# frozen_string_literal: true

module Ratomic
  module Workers
    # The methods of an {Engine} that concern the {FallbackEngine} of its pool, if there is one.
    module Accompanied
      # @return [Fallback, nil] of a pool with `fallback:`
      attr_reader :fallback

      # @return [Array<Integer>] its own number, then those of engines that cannot end before it
      def numbers
        [number]
      end

      # Whether this is a {FallbackEngine}.
      def beside?
        false
      end

      # Whether the calling thread may run items itself. A pool of threads or processes, or one with `fallback:`,
      # accepts callables that fail in another Ractor than the main one. So only callers in the Ractor of the pool run
      # them.
      def for_caller?
        @for_any_caller || home?
      end

      # Whether a {FallbackEngine} has to end first.
      def accompanied?
        (there = @fallback&.engine) ? !there.ended? : false
      end

      # Whether the other engine is running the item.
      # @param index [Integer]
      def elsewhere?(batch, index)
        @fallback&.has?(batch.ticket, index) || false
      end

      # Whether both engines run parts of the batch.
      def divided?(batch)
        @fallback ? @fallback.divides?(batch.ticket) : false
      end

      private

      # Whether callers in any Ractor may run items. Computed once, because each small dispatch asks for it.
      def for_any_caller?
        !RACTORS || (@fallback.nil? && (@in_place || !@backend.any_block?))
      end

      # Emits the event of the pool's end.
      def tell_end
        emit(:ended)
        @subscribers.close
      end

      # Makes the counters and the subscribers that both engines share.
      def make_shared_counts
        @metrics = Metrics.new(@name)
        @subscribers = Subscribers.new(@costs.caller_runs_cache)
        @accepted = Counter.new
        @finished = Counter.new
        @workers_started = Counter.new
      end
    end
    private_constant :Accompanied
  end
end
