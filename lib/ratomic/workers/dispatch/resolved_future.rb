# frozen_string_literal: true

require_relative "../future"

module Ratomic
  module Workers
    # The future of a dispatch that the caller has run itself: it has its results from the start.
    class ResolvedFuture < Future
      # @api private
      # @param results [Array] frozen and shareable
      def initialize(results) # rubocop:disable Lint/MissingSuper -- there is no batch
        @results = results
        freeze
      end

      # @see Future#value
      def value(timeout: nil)
        Clock.check(timeout) unless timeout.nil?
        @results
      end

      # @see Future#indices
      def indices(timeout: nil)
        Clock.check(timeout)
        Ractor.make_shareable(Array.new(size, &:itself))
      end

      # @see Failing#failed?
      def failed?
        @results.any?(Failure)
      end

      # @see Future#dropped
      def dropped
        0
      end

      # @api private
      def slots(timeout: nil)
        value(timeout: timeout)
      end

      # @api private
      def work
        nil
      end

      # @see Future#wait
      def wait(timeout: nil)
        Clock.check(timeout)
      end

      # @see Future#ready?
      def ready?
        true
      end

      # @see Future#each
      def each(timeout: nil, &block)
        return enum_for(:each, timeout: timeout) { kept } unless block

        Clock.check(timeout)
        @results.each(&block)
        self
      end

      # @see Future#each_completed
      def each_completed(timeout: nil, &block)
        return enum_for(:each_completed, timeout: timeout) { kept } unless block

        Clock.check(timeout)
        @results.each_with_index(&block)
        self
      end

      # @see Future#cancel
      def cancel(interrupt: false) # rubocop:disable Lint/UnusedMethodArgument
        false
      end

      # @see Future#cancelled?
      def cancelled?
        false
      end

      # @see Future#progress
      def progress
        Progress.new(size, size)
      end

      # @see Future#failures_since
      def failures_since(ranges)
        [1, ranges.zero? ? @results.count { |result| Failure === result } : 0]
      end

      # @see Future#size
      def size
        @results.size
      end

      private

      def kept
        @results.size
      end

      def results(timeout)
        value(timeout: timeout)
      end
    end
  end
end
