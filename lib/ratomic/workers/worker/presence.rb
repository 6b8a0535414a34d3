# frozen_string_literal: true

module Ratomic
  module Workers
    # Where a worker stands to the {Lane}: about to look into it, or away in a long chunk, when it cannot be counted on
    # for what comes next. One that is ended in the midst of telling so counts as away: rather wake others in vain.
    class Presence
      # @param lane [Lane]
      # @param pulse [Pulse] where others see since when the worker is away
      def initialize(lane, pulse)
        @lane = lane
        @pulse = pulse
        @away = false
      end

      # The worker begins something.
      # @param nanoseconds [Float, nil] that it is going to take; nil when nobody knows
      def leave(nanoseconds)
        return if nanoseconds && nanoseconds < Lane::LONG

        @pulse.begin_long(Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond))
        @lane.away
        @away = true
      end

      # It is done with it.
      def return
        away = @away
        @away = false
        return unless away

        @pulse.end_long
        @lane.back
      end
    end
  end
end
