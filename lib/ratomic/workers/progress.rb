# frozen_string_literal: true

module Ratomic
  module Workers
    # How far a dispatch is.
    class Progress
      # @return [Integer] items with a result or a Failure
      attr_reader :completed
      # @return [Integer] items of the dispatch
      attr_reader :total
      # @return [Integer, nil] Failures among them; nil if they were not counted ({Future#progress})
      attr_reader :failures
      # @return [Float, nil] since the dispatch, where that is known
      attr_reader :seconds

      def initialize(completed, total, failures: nil, seconds: nil)
        @completed = completed
        @total = total
        @failures = failures
        @seconds = seconds
        freeze
      end

      # @return [Float] 0.0 to 1.0; an empty dispatch is done
      def fraction
        total.zero? ? 1.0 : completed.fdiv(total)
      end

      # Whether there is nothing left to do.
      def done?
        completed >= total
      end

      # @return [Array(Integer, Integer)] so that `done, all = future.progress`
      def to_a
        [completed, total]
      end
      alias to_ary to_a

      def ==(other)
        other.is_a?(Progress) && other.to_a == to_a
      end

      def to_s
        "#{completed} of #{total} items"
      end

      # @return [String]
      def inspect
        "#<#{self.class} #{self}>"
      end
    end
  end
end
