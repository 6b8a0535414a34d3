# frozen_string_literal: true

require_relative "resolved_future"

module Ratomic
  module Workers
    # The future of an owned dispatch that the caller has run itself. It holds the results, so it is shareable only if
    # they are; `Ractor#send` copies or moves them with it.
    class OwnedResolvedFuture < ResolvedFuture
      # @api private
      # @param slots [Array] results, and a {Vacancy} for an item that has none
      # @param right [TakeOnce]
      def initialize(slots, right)
        @right = right
        @size = slots.size
        results = slots
        if slots.any?(Vacancy)
          results = slots.grep_v(Vacancy)
          @indices = Ractor.make_shareable(slots.each_index.reject { |index| Vacancy === slots[index] })
        end
        @kept = results.size
        @failures = Ractor.make_shareable(results.grep(Failure))
        @box = [results] # emptied when the results are taken
        super(nil)
      end

      # @see Future#indices
      def indices(timeout: nil)
        @indices ? (Clock.check(timeout) && @indices) : super
      end

      # @see Future#dropped
      def dropped
        size - @kept
      end

      # @see Future#slots
      # @api private
      def slots(timeout: nil)
        places = indices
        slots = Array.new(size, DROPPED)
        value(timeout: timeout).each_with_index { |result, place| slots[places[place]] = result }
        slots
      end

      # @see OwnedFuture#value
      def value(timeout: nil)
        Clock.check(timeout) unless timeout.nil?
        Interrupts.deferred do
          @right.claim
          @box.shift
        end
      end

      # @see OwnedFuture#value!
      def value!(timeout: nil)
        Clock.check(timeout)
        @right.check
        @box[0]&.each { |result| raise result.to_error if Failure === result }
        value
      end

      # @see OwnedFuture#failures
      def failures(timeout: nil)
        Clock.check(timeout)
        @failures
      end

      # @see Failing#failed?
      def failed?
        !@failures.empty?
      end

      # @see OwnedFuture#each
      def each(timeout: nil, &block)
        return enum_for(:each, timeout: timeout) { kept } unless block

        value(timeout: timeout).each(&block)
        self
      end

      # @see OwnedFuture#each_completed
      def each_completed(timeout: nil, &block)
        return enum_for(:each_completed, timeout: timeout) { kept } unless block

        value(timeout: timeout).zip(indices).each(&block)
        self
      end

      # @see Future#size
      attr_reader :size

      # @see Future#failures_since
      def failures_since(ranges)
        failed = ranges.zero? ? (@box[0] || []).count { |result| Failure === result } : 0
        [1, failed]
      end

      private

      attr_reader :kept
    end
  end
end
