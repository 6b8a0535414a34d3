# frozen_string_literal: true

require "timeout"

module Ratomic
  class Pool
    # How the block of a `with` ended, for blocks that did not come to their end. Whoever was ended from outside may
    # have left the object in mid-use (a request is sent, its answer not read): it is not lent again. Whoever left by
    # himself knows in what state.
    #
    # From outside come `Thread#kill` (also that of `item_timeout:` and `cancel(interrupt: true)`), `Timeout`, signals,
    # and what else is no StandardError. A StandardError that another thread raised in this one (`Thread#raise`) looks
    # like one of the block's own, and is taken for it.
    module Ending
      # What `Timeout.timeout(seconds, SomeError)` raises says this.
      EXPIRED = "execution expired"
      TEXT = Exception.instance_method(:to_s).then { |own| RACTORS ? Ractor.make_shareable(own) : own }
      private_constant :EXPIRED, :TEXT

      # @param error [Exception, nil] that passes through; nil when there is none (a kill, or break, return, throw)
      # @return [Boolean]
      def self.from_outside?(error)
        case error
        when nil then Thread.current.status == "aborting"
        when ::Timeout::Error then true
        when StandardError, ScriptError then EXPIRED == TEXT.bind_call(error)
        else true
        end
      end
    end
  end
end
