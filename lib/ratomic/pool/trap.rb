# frozen_string_literal: true

module Ratomic
  class Pool
    # Ruby runs a signal handler in the midst of whatever the main thread does, and lets nobody wait for a lock there:
    # the handler may have interrupted the very one who holds it.
    module Trap
      # Runs the block, in which such a lock may be needed.
      # @raise [TrapError] if it is, in a signal handler
      def self.told
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
