# frozen_string_literal: true

module Ratomic
  module Workers
    # Where a worker stands to the {Lane}: about to look into it, or away in a long chunk, when it cannot be counted on
    # for what comes next.
    class Presence
      # @param lane [Lane]
      def initialize(lane)
        @lane = lane
        @away = false
      end

      # The worker begins something.
      # @param nanoseconds [Float, nil] that it is going to take; nil when nobody knows
      def leave(nanoseconds)
        return if nanoseconds && nanoseconds < Lane::LONG

        @away = true
        @lane.away
      end

      # It is done with it.
      def return
        @lane.back if @away
        @away = false
      end
    end
  end
end
