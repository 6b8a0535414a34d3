# frozen_string_literal: true

module Ratomic
  module Workers
    # Who waits for a dispatch that is to end when nobody does any more (`cancel_on_abandon: true`).
    class Attendance
      def initialize
        @waiting = Counter.new
        freeze
      end

      # Counts the caller as waiting while the block runs. The dispatch is abandoned when the block is left by
      # `Thread#kill` or an exception, but for the {TimeoutError} of a `timeout:`, and nobody else waits at that moment.
      # @yieldreturn [Object]
      # @return [Object] the same
      def during(future)
        abandoned = counted = false
        Interrupts.deferred { counted = @waiting.increment }
        yield
      rescue TimeoutError
        raise # the future is still good
      rescue Exception # rubocop:disable Lint/RescueException -- it is raised again
        abandoned = true
        raise
      ensure
        if counted
          abandoned ||= Thread.current.status == "aborting"
          future.cancel if @waiting.decrement.zero? && abandoned
        end
      end
    end
  end
end
