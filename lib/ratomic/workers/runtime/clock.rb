# frozen_string_literal: true

module Ratomic
  module Workers
    # Monotonic time, in seconds where nothing else is said. A change of the system time does not change it.
    module Clock
      # Has no slots, so it is complete. A wait for it checks its timeout and raises the same errors as all waits.
      NOTHING = Completion.new(0)
      # Where a system does not tell the time of a thread, that of the process.
      THREAD = if defined?(Process::CLOCK_THREAD_CPUTIME_ID)
                 Process::CLOCK_THREAD_CPUTIME_ID
               else
                 Process::CLOCK_PROCESS_CPUTIME_ID
               end
      private_constant :NOTHING, :THREAD

      class << self
        # @return [Float] seconds
        def now
          Process.clock_gettime(Process::CLOCK_MONOTONIC)
        end

        # Code that runs for each chunk or small dispatch asks Process itself: one method call less.
        # @return [Integer]
        def nanoseconds
          Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)
        end

        # @return [Float] seconds that the calling thread has computed
        def computed
          Process.clock_gettime(THREAD)
        end

        # @param timeout [Numeric, nil] seconds
        # @return [Float, nil] when they are over; nil for never
        # @raise [ArgumentError, TypeError]
        def limit(timeout)
          check(timeout)
          timeout && (now + timeout.to_f)
        end

        # @param limit [Float, nil]
        # @return [Float, Integer, nil] seconds until then, or 0; nil for ever
        def left(limit)
          limit && [limit - now, 0].max
        end

        # @param timeout [Numeric, nil] seconds
        # @return [true]
        # @raise [ArgumentError, TypeError] unless it is one
        def check(timeout)
          NOTHING.wait(timeout)
        end
      end
    end
  end
end
