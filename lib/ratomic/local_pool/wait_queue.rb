# frozen_string_literal: true

module Ratomic
  class LocalPool
    # The threads that wait for a slot, in the order in which they came. A slot that becomes free is put into the hands
    # of the first, instead of being left for whoever runs next: that makes it fair, and no wake-up is ever lost on one
    # that gave up at the same moment.
    #
    # Every method is called under the stock's lock.
    class WaitQueue
      # Waits are cut into pieces of this many seconds, to notice a holder that ended without giving back.
      PIECE = 1.0

      # One thread that wants a slot.
      class Waiter
        # @return [Slot, nil] what it got
        attr_accessor :slot

        def initialize(lent)
          @thread = Thread.current
          @lent = lent
        end

        def take(slot)
          @slot = slot&.hold(@thread, @lent)
        end

        def turn
          @turn ||= Thread::ConditionVariable.new
        end
      end

      def initialize(lock)
        @lock = lock
        @waiters = {}.compare_by_identity
      end

      # @return [Integer] how many wait
      def size
        @waiters.size
      end

      # @return [Boolean] whether somebody was there to take the slot
      def hand(slot)
        waiter, = @waiters.shift
        return false if waiter.nil?

        waiter.take(slot)
        waiter.turn.signal
        true
      end

      def wake_all
        @waiters.each_key { |waiter| waiter.turn.signal }
      end

      # Returns when the waiter has a slot, or time is up.
      #
      # @param timeout [Numeric, nil] seconds
      # @yield asked after each piece of the wait: whether there is a slot that nobody handed over
      def wait(waiter, timeout)
        deadline = timeout && (Pool::Waiting.now + timeout)
        @waiters[waiter] = true
        until waiter.slot
          left = deadline ? deadline - Pool::Waiting.now : PIECE
          break if left <= 0

          Thread.handle_interrupt(Pool::Waiting::ON_BLOCKING) { waiter.turn.wait(@lock, left < PIECE ? left : PIECE) }
          waiter.slot || waiter.take(yield)
        end
      ensure
        @waiters.delete(waiter)
      end
    end
  end
end
