# frozen_string_literal: true

# The part of hitimes (a C extension for Debian's Ruby only) that the timers gem uses.
module Hitimes
  # A stopwatch.
  class Interval
    def start
      @started = now
      true
    end

    def to_f
      now - @started
    end

    private

    def now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end
  end
end
