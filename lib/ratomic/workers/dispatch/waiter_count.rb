# frozen_string_literal: true

module Ratomic
  module Workers
    # Who waits for a dispatch that is to end when nobody does any more (`cancel_on_abandon: true`).
    class WaiterCount
      def initialize
        @waiting = Counter.new
        freeze
      end

      # Counts the caller as waiting while the block runs. The dispatch is abandoned when the block is left by
      # `Thread#kill` or an exception, but for the {TimeoutError} of a `timeout:`, and nobody else waits at that moment.
      # So it is when it is left by `throw`, as the `Timeout` of Ruby 3.1 does; but where a block of the caller runs in
      # there, that cannot be told from its `break`.
      # @param breaks [Boolean] whether a block of the caller runs in there
      # @yieldreturn [Object]
      # @return [Object] the same
      def during(future, breaks)
        counted = false
        abandoned = !breaks
        Interrupts.deferred { counted = @waiting.increment }
        result = yield
        abandoned = false
        result
      rescue TimeoutError
        abandoned = false # the future is still good
        raise
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
