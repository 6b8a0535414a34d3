# frozen_string_literal: true

module Ratomic
  module Workers
    # The window of a {Flow}: how many items were read and not yet yielded, at most, and when a reader that has found it
    # full goes on. {Flow} includes this module.
    module FlowWindow
      # A reader that has found the window full goes on only when such a part of it is free. If it went on with each
      # free place, each item would cost a switch of threads and become a group of its own.
      PARTS = 4
      # The same while the reader dispatches ({FlowDirect}): the other half are groups that workers run meanwhile.
      DIRECT_PARTS = 2
      private_constant :DIRECT_PARTS, :PARTS

      # @return [Integer] items that were read and not yet yielded, at most
      attr_reader :limit

      # Called by the reader: makes the window smaller.
      # @param limit [Integer]
      def narrow(limit)
        synchronize { self.limit = limit if limit < @limit }
      end

      # The consumer has had one result. Only the consumer changes this count, and a reader looks at it after it has set
      # `@full`; so the lock is needed only to wake the readers.
      def yielded(count = 1)
        @yielded += count
        return unless @full && @read - @yielded <= @enough

        synchronize do
          @full = false # or each of the next results would wake it again
          @room.broadcast
        end
      end

      private

      def limit=(limit)
        @limit = limit
        decide_enough
        # In a small window groups are smaller, so that items can be read and yielded while a group is being run.
        @share = [limit / @lanes, 1].max
      end

      # With so many items the reader goes on.
      def decide_enough
        @enough = @limit - [@limit / (direct? ? DIRECT_PARTS : PARTS), 1].max
      end

      def await_room
        synchronize { begin_direct }
        nil while direct? && dispatch_group(1)
        synchronize do
          wait_for_room until room?
          @full = false
          @room.broadcast # other readers look again
        end
      end

      # To be called with the lock, as what follows. It says that a reader waits before it looks, see {#yielded}.
      # @raise [ClosedQueueError] when the stream was left
      def room?
        @full = true
        raise ::ClosedQueueError, "the stream was left" if @closed

        @read - @yielded <= @enough
      end

      def wait_for_room
        wake_leader unless direct?
        wait(@room)
      end
    end
  end
end
