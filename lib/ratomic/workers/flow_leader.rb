# frozen_string_literal: true

module Ratomic
  module Workers
    # One idle thread, the **leader**, waits for the items of a {Flow}; the other idle threads wait to become the
    # leader. So an item wakes only one thread. When the leader has a group of items, it makes another thread the leader
    # and runs the group itself. (The Leader/Followers pattern of Schmidt, O'Ryan, Kircher, Pyarali and Buschmann,
    # 2000.)
    #
    # {Flow} includes this module. The caller of each method holds the lock of the flow.
    module FlowLeader
      # Seconds that the leader waits for more items of a source that has been quick, while a worker has nothing to do.
      LINGER_S = 0.000_3
      # A leader that does not wait is not to be woken by any number of items.
      NO_WAKE_ITEMS = 1 << 60
      private_constant :LINGER_S, :NO_WAKE_ITEMS

      private

      def wake_leader
        return if @wanted == NO_WAKE_ITEMS

        @wanted = NO_WAKE_ITEMS
        @work.signal
      end

      # @yieldreturn [Boolean] whether to give up
      # @return [Group, nil] nil when there will be no more, or it gave up
      def lead(target, &given_up)
        @led = true
        return unless await_items(target, &given_up)

        idle = @by_consumer ? 1 : [@workers - @running, 1].max
        @running += 1
        take_group([target, (free.to_f / idle).ceil].min)
      ensure
        @led = false
        @by_consumer ? @output.signal : @place.signal
      end

      # The leader: waits until there are items for a group, or no more are to be waited for.
      # @param target [Integer] items of a group
      # @return [Boolean] false when there will be no more, or it gave up
      def await_items(target)
        waited = false
        until yield
          next watch if direct? && more?
          return false unless @direct.empty?

          if take_now?(size = free, target, waited)
            @quick = size > 1
            return true
          end
          return false unless more?

          waited = true if wait_for_items(size, target, waited)
        end
        false
      end

      # While each worker has a group, the leader waits for a whole group. While a worker has none, the leader waits
      # only a short time for more items of a quick source, and not at all if the reader itself waits for room.
      def take_now?(size, target, waited)
        return size >= target if size.zero? || size >= target || (@running >= @workers && !@finished)

        waited || @full || @finished || !@quick
      end

      # @return [Boolean] whether it has waited long enough for a quick source
      def wait_for_items(size, target, waited)
        linger = @quick && !waited && !@finished && @running < @workers
        @wanted = size.zero? && !linger ? 1 : target
        wait(@work, linger ? LINGER_S : look_interval) unless free >= @wanted
        linger
      ensure
        @wanted = NO_WAKE_ITEMS
      end
    end
  end
end
