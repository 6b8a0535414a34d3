# frozen_string_literal: true

module Ratomic
  module Workers
    # The lock of a {Flow}, and how its threads sleep. {Flow} includes this module.
    module FlowLock
      # Seconds after which a thread that waits looks by itself. Ruby can forget that it has woken a thread: if a signal
      # handler or a finalizer comes while the thread goes to sleep, and lets other threads run, the thread sleeps on
      # (seen in 4.0: a handler's end puts the thread's status back). Only threads of the main Ractor look: the others
      # run no handlers, and Ruby 4.0 can deadlock when a timed sleep in a Ractor is interrupted. (The leader's short
      # sleeps have a time in every Ractor; 80,000 streams that were left in two Ractors of 4.0.5 met no deadlock.)
      LOOK_S = 1
      private_constant :LOOK_S

      private

      def synchronize(&block)
        Interrupts.synchronize(@lock, &block)
      end

      # To be called with the lock. Whoever waits looks again afterwards.
      def wait(condition, seconds = look_interval)
        Interrupts.wait(condition, @lock, seconds)
      end

      # @return [Numeric, nil] see {LOOK_S}
      def look_interval
        LOOK_S if !RACTORS || Ractor.main?
      end
    end
  end
end
