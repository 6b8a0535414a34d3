# frozen_string_literal: true

module Ratomic
  module Workers
    # Locks and signal handlers. Ruby runs a handler in the middle of whatever the main thread does, and raises if the
    # handler waits for a lock: it may have interrupted the code that holds this lock.
    module Trap
      # Runs a block that may need a lock.
      # @raise [TrapError] if it needs one in a signal handler
      def self.explain
        yield
      rescue ThreadError
        raise unless here?

        raise TrapError, "a signal handler (trap) may not wait for a lock, so it cannot do this; do it in a thread, " \
                         "trap(:TERM) { Thread.new { ... } }, or let the handler only note the signal"
      end

      # @return [Boolean] whether this runs in a signal handler
      def self.here?
        Thread::Mutex.new.synchronize { false }
      rescue ThreadError
        true
      end
    end
  end
end
