# frozen_string_literal: true

module Ratomic
  module Workers
    # Monotonic time in seconds. A change of the system time does not change it.
    module Clock
      # Has no slots, so it is complete. A wait for it checks its timeout and raises the same errors as all waits.
      NOTHING = Completion.new(0)
      private_constant :NOTHING

      class << self
        # @return [Float]
        def now
          Process.clock_gettime(Process::CLOCK_MONOTONIC)
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
