# frozen_string_literal: true

module Ratomic
  module Workers
    # The future of an owned dispatch that the caller has run himself, when it was made. It has the results in itself,
    # so it is shareable only if these are; `Ractor#send` copies or moves them with it.
    class OwnedSettled < Settled
      # @api private
      # @param results [Array]
      # @param right [Handover]
      def initialize(results, right)
        @right = right
        @size = results.size
        @box = [results] # nothing is kept when they were taken
        super(nil)
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

      # @see OwnedFuture#each
      def each(timeout: nil, &block)
        return enum_for(:each, timeout: timeout) { size } unless block

        value(timeout: timeout).each(&block)
        self
      end

      # @see OwnedFuture#each_completed
      def each_completed(timeout: nil, &block)
        return enum_for(:each_completed, timeout: timeout) { size } unless block

        value(timeout: timeout).each_with_index(&block)
        self
      end

      # @see Future#size
      attr_reader :size
    end
  end
end
