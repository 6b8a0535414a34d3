# frozen_string_literal: true

module Ratomic
  module Workers
    # Whether several threads dispatch at about the same time. They share the VM lock of their Ractor: what they run
    # themselves comes one after another, while the workers run it in parallel.
    class CallerContention
      # Ruby lets a thread run for 100 milliseconds while others wait. So the thread before this one may have dispatched
      # that long ago, and the next one may do so that much later.
      WINDOW_NS = 200_000_000

      def initialize
        @thread = Counter.new # object_id of the thread that has dispatched last
        @last = Counter.new   # when it did, in monotonic nanoseconds
        @other = Counter.new  # when another thread has dispatched before it, 0 if none has
        freeze
      end

      # Notes that this thread dispatches. (Of two threads that do so at once one may be overlooked.)
      # @param now [Integer] monotonic nanoseconds
      # @return [Boolean] whether another thread has dispatched a moment ago
      def note(now = Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond))
        me = Thread.current.object_id
        before = @thread.reset(me)
        last = @last.reset(now)
        @other.reset(last) unless before == me
        other = @other.read
        other.positive? && now - other < WINDOW_NS
      end
    end
    private_constant :CallerContention
  end
end
