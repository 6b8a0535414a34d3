# frozen_string_literal: true

require "timeout"

module Ratomic
  module Workers
    # For `rescue`: matches each exception that a user's code raises, also one that is no StandardError. User's code is
    # an item, the `freeze` of a result, and the `message` of an exception. It does not match what is meant for the
    # thread itself: a signal, the end of a `Timeout.timeout` block around the code, and in the main thread an `exit`,
    # which may come from a `trap` handler.
    module UserException
      # In older Rubies such a block ends with an ordinary StandardError.
      END_OF_BLOCK = defined?(::Timeout::ExitException) ? ::Timeout::ExitException : SignalException
      EXEMPT = [SignalException, END_OF_BLOCK].freeze
      private_constant :END_OF_BLOCK

      # @param error [Exception]
      def self.===(error)
        !(SignalException === error || END_OF_BLOCK === error || (SystemExit === error && handlers_run_here?))
      end

      # Whether this is the main thread, which runs also the `trap` handlers, in the middle of other code.
      def self.handlers_run_here?
        Thread.current.equal?(Thread.main) && (!RACTORS || Ractor.main?)
      end
    end
  end
end
