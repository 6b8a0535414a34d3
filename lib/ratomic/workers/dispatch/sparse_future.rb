# frozen_string_literal: true

require_relative "resolved_future"

module Ratomic
  module Workers
    # A {ResolvedFuture} of a dispatch in which some items have no result.
    class SparseFuture < ResolvedFuture
      # @api private
      # @param slots [Array] frozen and shareable: results, and a {Vacancy} for an item that has none
      def initialize(slots) # rubocop:disable Lint/MissingSuper -- which freezes
        @slots = slots
        @results = slots.grep_v(Vacancy)
        @indices = slots.each_index.reject { |index| Vacancy === slots[index] }
        @dropped = slots.count { |result| DROPPED.equal?(result) }
        Ractor.make_shareable(self)
      end

      # @see Future#indices
      def indices(timeout: nil)
        Clock.check(timeout)
        @indices
      end

      # @see Future#dropped
      attr_reader :dropped

      # @see Future#each_completed
      def each_completed(timeout: nil)
        return enum_for(:each_completed, timeout: timeout) { kept } unless block_given?

        Clock.check(timeout)
        @results.each_with_index { |result, place| yield result, @indices[place] }
        self
      end

      # @see Future#size
      def size
        @slots.size
      end

      # @api private
      def slots(timeout: nil)
        Clock.check(timeout)
        @slots
      end
    end
  end
end
