# frozen_string_literal: true

require "timeout"

module Ratomic
  module Workers
    # Matches, in a `rescue`, whatever the code of others raises: an item, a result that is frozen, an exception that is
    # asked for its message. They may raise anything, also what is no StandardError. What is meant for the thread itself
    # passes: a signal, the end of a `Timeout.timeout` block around it, and in the main thread an `exit`, which may be
    # that of a `trap` handler.
    module UserException
      # In older Rubies the end of such a block is a StandardError like others.
      END_OF_BLOCK = defined?(::Timeout::ExitException) ? ::Timeout::ExitException : SignalException
      EXEMPT = [SignalException, END_OF_BLOCK].freeze
      private_constant :END_OF_BLOCK

      # @param error [Exception]
      def self.===(error)
        !(SignalException === error || END_OF_BLOCK === error || (SystemExit === error && handlers_run_here?))
      end

      # Ruby runs `trap` handlers in the midst of whatever the main thread does.
      def self.handlers_run_here?
        Thread.current.equal?(Thread.main) && (!RACTORS || Ractor.main?)
      end
    end
  end
end
