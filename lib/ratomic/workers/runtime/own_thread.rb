# frozen_string_literal: true

require_relative "reaper"

module Ratomic
  module Workers
    # The threads that the library makes for itself. When one dies, Ruby reports nothing, and `join` does not raise: the
    # exception may be an item's. A thread that runs no items has its errors shown ({ErrorWarning}).
    #
    # A thread inherits the interrupt masks of its creator (`Thread.handle_interrupt`) for ever: a caller who starts a
    # pool inside such a block would get workers that cannot be interrupted. So these threads begin with none. Threads
    # that have to finish what they have begun, whatever an item does to them, have interrupts deferred instead, except
    # while they wait ({Interrupts.on_blocking}).
    #
    # In a worker's Ractor they are joined when they end, see {Reaper}.
    #
    # They are marked `fork_safe`. Servers that fork (Puma) warn of threads without that mark, which a child will not
    # have. A child of ours starts its own.
    module OwnThread
      # @param name [String, nil]
      # @param finally [Proc, nil] called at the end of the thread; in any case, if this is called with interrupts
      #   deferred ({Interrupts.deferred})
      # @param place [String, nil] what the thread is, for the warning if a StandardError ends it; nil for no warning
      # @param deferred [Boolean] whether its interrupts are deferred; from the start, if this is called so too
      # @return [Thread]
      def self.start(name = nil, finally = nil, place: nil, deferred: false, &block)
        thread = Thread.new do
          Thread.current.report_on_exception = false
          Thread.current.name = name
          OwnThread.mark(Thread.current) # before the block: {ThreadState} would take a later mark for an item's
          deferred ? Interrupts.deferred(&block) : Interrupts.allowed(&block)
        rescue Exception => e # rubocop:disable Lint/RescueException -- see above
          ErrorWarning.once(Failure.from(e, nil), place) if place && StandardError === e
        ensure
          finally&.call
          Interrupts.deferred { Reaper.here&.expect }
        end
        thread.name = name # it may not have run yet
        mark(thread)
      end

      # @param thread [Thread] of the library's own
      # @return [Thread]
      def self.mark(thread)
        thread.thread_variable_set(:fork_safe, true)
        thread
      end
    end
  end
end
