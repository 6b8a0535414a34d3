# frozen_string_literal: true

module Ratomic
  module Workers
    # Where a worker stands to the {Lane}: about to look into it, or away in a long chunk, when it cannot be counted on
    # for what comes next. One that is ended in the midst of telling so counts as away: rather wake others in vain.
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

        @lane.away
        @away = true
      end

      # It is done with it.
      def return
        away = @away
        @away = false
        @lane.back if away
      end
    end
  end
end
