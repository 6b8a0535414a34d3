# frozen_string_literal: true

require "timeout"

module Ratomic
  class Pool
    # Tells how the block of a `with` ended that did not reach its last line. A block that was ended from outside may
    # have left the object in mid-use (a request is sent, its answer not read): that object is not lent again. A block
    # that left by itself is trusted to have left its object in order.
    #
    # From outside come `Thread#kill` (also by `item_timeout:` and `cancel(interrupt: true)`), `Timeout`, signals, and
    # every exception that is no StandardError. A StandardError that another thread raised in this one (`Thread#raise`)
    # cannot be told from one of the block's own, and counts as such.
    module Ending
      # The message of what `Timeout.timeout(seconds, SomeError)` raises.
      TIMEOUT_MESSAGE = "execution expired"
      private_constant :TIMEOUT_MESSAGE

      # @param error [Exception, nil] that ended the block; nil for a kill, and for break, return and throw
      # @return [Boolean]
      def self.from_outside?(error)
        case error
        when nil then Thread.current.status == "aborting"
        when ::Timeout::Error then true
        when StandardError, ScriptError then TIMEOUT_MESSAGE == Reflection.message_of(error)
        else true
        end
      end
    end
  end
end
