# frozen_string_literal: true

module Ratomic
  class LocalPool
    # The threads that wait for a slot, first come, first served. A slot that becomes free is assigned to the first
    # waiter at once, instead of being left for the thread that runs next. So no thread is overtaken, and no wake-up is
    # lost to a thread that stops waiting in the same moment.
    #
    # Every method is called under the lock of the {ResourceStack}.
    class WaitQueue
      # Seconds between two checks of a waiter whether a thread has ended without giving its slot back.
      CHECK_INTERVAL_S = 1.0

      # A thread that waits for a slot.
      class Waiter
        # @return [Slot, nil] the slot that was assigned
        attr_accessor :slot

        def initialize(lent)
          @thread = Thread.current
          @lent = lent
        end

        def take(slot)
          @slot = slot&.hold(@thread, @lent)
        end

        def condition
          @condition ||= Thread::ConditionVariable.new
        end
      end

      def initialize(lock)
        @lock = lock
        @waiters = {}.compare_by_identity
      end

      # @return [Integer] how many threads wait
      def size
        @waiters.size
      end

      # @return [Boolean] false when no thread waits
      def hand_over(slot)
        waiter, = @waiters.shift
        return false if waiter.nil?

        waiter.take(slot)
        waiter.condition.signal
        true
      end

      def wake_all
        @waiters.each_key { |waiter| waiter.condition.signal }
      end

      # Waits until the waiter has a slot or the time is up.
      #
      # @param timeout [Numeric, nil] seconds
      # @yieldreturn [Slot, nil] a slot that is free without having been handed over; called after each check interval
      def wait(waiter, timeout)
        deadline = timeout && (Workers::Clock.now + timeout)
        @waiters[waiter] = true
        until waiter.slot
          left = deadline ? deadline - Workers::Clock.now : CHECK_INTERVAL_S
          break if left <= 0

          seconds = left < CHECK_INTERVAL_S ? left : CHECK_INTERVAL_S
          Workers::Interrupts.on_blocking { Workers::Interrupts.wait(waiter.condition, @lock, seconds) }
          waiter.slot || waiter.take(yield)
        end
      ensure
        @waiters.delete(waiter)
      end
    end
  end
end
