# frozen_string_literal: true

module Ratomic
  module Workers
    # What an {Engine} knows of the {FallbackEngine} beside it, if its pool has one.
    module Accompanied
      # @return [Fallback, nil] of a pool with `fallback:`
      attr_reader :fallback

      # @return [Array<Integer>] numbers of the engines that end only after what runs here; first its own
      def numbers
        [number]
      end

      # Whether it is the {FallbackEngine} of another.
      def beside?
        false
      end

      # Whether the calling thread may run items itself. In another Ractor than the main one they would fail as they do
      # in a worker.
      def for_caller?
        @fallback.nil? || Ractor.main?
      end

      # Whether a {FallbackEngine} has to end first.
      def accompanied?
        (there = @fallback&.engine) ? !there.ended? : false
      end

      # Whether the other of the two has the item.
      # @param index [Integer]
      def elsewhere?(batch, index)
        @fallback&.has?(batch.ticket, index) || false
      end

      # Whether both have something of a batch.
      def divided?(batch)
        @fallback ? @fallback.divides?(batch.ticket) : false
      end

      private

      # The pool has ended.
      def tell_end
        emit(:ended)
        @subscribers.close
      end

      # Makes what is counted and told, which both have in common.
      def share_books
        @metrics = Metrics.new(@name)
        @subscribers = Subscribers.new(@costs.caller_runs_cache)
        @accepted = Counter.new
        @finished = Counter.new
        @hired = Counter.new
      end
    end
    private_constant :Accompanied
  end
end
