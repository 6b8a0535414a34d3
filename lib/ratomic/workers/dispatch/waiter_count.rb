# frozen_string_literal: true

module Ratomic
  module Workers
    # Counts the threads that wait for a dispatch with `cancel_on_abandon: true`, which is cancelled when the last of
    # them was ended.
    class WaiterCount
      def initialize
        @waiting = Counter.new
        freeze
      end

      # Counts the caller as waiting while the block runs. The dispatch is abandoned if `Thread#kill` or an exception
      # ends the block (except the {TimeoutError} of a `timeout:`) and no other thread waits then. A `throw` out of the
      # block abandons it too: the `Timeout` of Ruby 3.1 throws. But if a block of the caller runs inside, a `throw`
      # cannot be told from the `break` of that block, and does not abandon it.
      # @param breaks [Boolean] whether a block of the caller runs inside
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
        abandoned = false # the caller can wait again
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
