# frozen_string_literal: true

module Ratomic
  module Workers
    # While the source of a {Flow} is quicker than the workers, and items are so cheap that a lane's whole share is not
    # too much for a group, a reader dispatches the groups itself, and the consumer waits for their futures: these are
    # **direct** groups. No lane is woken then, which saves many switches of threads.
    #
    # It begins when a reader finds the window full. One lane, the leader, watches: when nothing was read and nothing
    # yielded for some looks, the source or the consumer waits for something, so the lanes take over what is under way
    # and what waits.
    #
    # {Flow} includes this module.
    module FlowDirect
      # Seconds between two checks whether anything goes on.
      CHECK_INTERVAL_S = 0.005
      # So many checks in a row without progress, and it ends; sooner if items wait for a lane. (One is not enough: on
      # a busy machine the reader or the consumer may just not have had its turn.)
      MAX_STILL_CHECKS = 2
      MAX_STILL_CHECKS_ALL_DISPATCHED = 20
      # A share is too much for a group if it is more than so many groups that would pay for their dispatch. (The second
      # is larger: what items take varies.)
      BEGIN_FACTOR = 2
      END_FACTOR = 8
      # A single item that pays for its dispatch may take any time.
      MIN_GROUP_ITEMS = 2
      # A number of items that never wait: no group is made.
      NEVER = 1 << 60
      KILLED = "a thread of the stream was killed while it waited for room in the queue"
      private_constant :BEGIN_FACTOR, :CHECK_INTERVAL_S, :END_FACTOR, :KILLED, :MAX_STILL_CHECKS,
                       :MAX_STILL_CHECKS_ALL_DISPATCHED, :MIN_GROUP_ITEMS, :NEVER

      # A group that a reader has dispatched.
      class DirectGroup
        attr_reader :group, :future

        def initialize(group, future)
          @group = group
          @future = future
        end
      end

      # Allows direct groups.
      # @return [#call] gets the items of a group, dispatches them to workers, and returns the future
      attr_writer :dispatch

      # Called by the reader when the source has ended by itself: dispatches what is left.
      def complete
        nil while direct? && dispatch_group(1)
        finish
      end

      # Called by a lane or the consumer: passes on the results of a direct group, unless another thread has done so.
      # @param claimed [Boolean] whether this thread has taken it off the list
      def settle(direct, claimed)
        results = direct.future.slots
        synchronize { (claimed ? @taken_over : @direct).delete(direct) } && deliver(direct.group, results)
      end

      # Called at the end of a run, when no thread of it is left: cancels what is under way. Threads that the source has
      # started get an error when they yield.
      def close
        synchronize do
          @closed = true
          end_direct
          @limit = 0
          @room.broadcast
        end
        (@direct + @taken_over).each { |direct| direct.future.cancel }
      end

      private

      def set_up_direct
        @direct = [] # groups, the oldest first
        @taken_over = [] # groups that lanes wait for
        @dispatch = nil
        @closed = false
        @direct_size = NEVER # so many items make a group
      end

      # The consumer waits for results of a direct group. It returns after some time also without, because lanes may
      # have taken over. While a reader waits for room, the consumer dispatches what has waited for a key of the group.
      def await_direct(direct)
        return unless direct.future.wait(timeout: CHECK_INTERVAL_S)

        settle(direct, false)
        dispatch_group(1, :on_blocking) if @full # what ends the consumer may end the stream
      end

      # Called without the lock, by a reader or the consumer. An interrupt comes afterwards, or while the dispatch waits
      # for room in the queue; then it ends the stream. In a reader only a kill may come then: a source whose `Timeout`
      # is over may go on.
      # @param least [Integer] items that a lane may take; with fewer there is no group
      # @param during_wait [Symbol] method of {Interrupts} that allows them
      # @return [Boolean] whether there was one
      def dispatch_group(least, during_wait = :kill_on_blocking)
        Interrupts.deferred do
          group = synchronize { take_direct if direct? && free >= least }
          done = group ? dispatch_direct(group, during_wait) : false
        rescue Exception => e # rubocop:disable Lint/RescueException -- without this group the stream has no end
          fail_with(e)
          raise unless StandardError === e # which must not be raised in the source

          false
        ensure
          fail_with(ThreadError.new(KILLED)) if done.nil? # the first error counts
        end
      end

      # @return [Boolean] false when the stream was left
      def dispatch_direct(group, during_wait)
        future = Interrupts.public_send(during_wait) { @dispatch.call(group.items) }
        kept = keep_direct(DirectGroup.new(group, future))
      ensure
        future&.cancel unless kept
      end

      def keep_direct(direct)
        direct.group.items = nil # the workers have their own: what waits for long is old garbage later
        synchronize do
          @direct << direct
          end_direct if @group_size * END_FACTOR < direct_share # items have become dearer
          @output.signal
          !@closed
        end
      end

      def direct?
        @direct_size != NEVER
      end

      # To be called with the lock, as what follows.
      def take_direct
        @running += 1
        take_group([free, direct_share].min)
      end

      # @return [Integer] items of a group
      def direct_share
        @share < Stream::MAX_GROUP ? @share : Stream::MAX_GROUP
      end

      # Called by a reader that has found the window full.
      def begin_direct
        return if direct? || @dispatch.nil? || @closed || @by_consumer
        return if @group_size < MIN_GROUP_ITEMS || @group_size * BEGIN_FACTOR < direct_share

        @direct_size = direct_share
        decide_enough
        @still = 0
        wake_leader # to watch
      end

      def end_direct
        return unless direct?

        @direct_size = NEVER
        decide_enough
        @room.broadcast # readers may have waited for more room
      end

      # The leader: sleeps for some time, and ends it if nothing goes on.
      def watch
        progress = @read + @yielded
        wait(@work, CHECK_INTERVAL_S)
        @still = @read + @yielded == progress ? @still + 1 : 0
        end_direct if @still >= (@read == @grouped ? MAX_STILL_CHECKS_ALL_DISPATCHED : MAX_STILL_CHECKS)
      end

      # @return [DirectGroup, nil] one that is done, if any is
      def any_direct
        @direct.find { |direct| direct.future.ready? } || @direct.first
      end

      # @return [DirectGroup, nil] that a lane takes over
      def take_over
        return if direct? || @direct.empty?

        @taken_over << @direct.shift
        @taken_over.last
      end
    end
  end
end
