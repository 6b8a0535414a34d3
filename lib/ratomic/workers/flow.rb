# frozen_string_literal: true

module Ratomic
  module Workers
    # One run through a {Stream}: what was read and not yet yielded. A thread reads the source, some threads (lanes)
    # take groups of items to the pool and wait for them, and the consumer takes the results. With a key it is a
    # {KeyedFlow}.
    #
    # All these threads share one lock of the VM, and what costs is to wake one of them: more than to parse ten lines.
    # So an item is put in and taken out without a lock and without a wake-up, groups are as large as is good for the
    # workers, and of the lanes that have nothing to do one (the leader) waits for items, the others for its place. The
    # reader alone changes `@read`, the consumer alone `@yielded` and `@taken`, and all else is for who has the lock.
    class Flow
      Group = Struct.new(:start, :items)
      PARTS = 4
      # Seconds that the leader waits for more items of a source that has been quick, while a worker has nothing to do.
      LINGER_S = 0.000_3
      # A leader that does not wait is not to be woken by any number of items.
      NO_WAKE_ITEMS = 1 << 60
      private_constant :PARTS, :LINGER_S, :NO_WAKE_ITEMS

      # @param workers [Integer] that run groups
      # @param lanes [Integer] threads that take groups: each leaves the others their share
      # @param limit [Integer] items that were read and not yet taken
      # @param ordered [Boolean]
      def initialize(workers, lanes, limit, ordered)
        @workers = workers
        @lanes = lanes
        @limit = limit
        @ordered = ordered
        @lock = Thread::Mutex.new
        @room = Thread::ConditionVariable.new
        @work = Thread::ConditionVariable.new
        @place = Thread::ConditionVariable.new
        @output = Thread::ConditionVariable.new
        @items = []    # that no lane has taken
        @results = {}  # number of the first item => results of a group
        @read = @taken = @yielded = @grouped = @running = 0
        @wanted = NO_WAKE_ITEMS # so many items wake the leader
        # A reader that has found the window full goes on when a part of it is free: with each place by itself an item
        # would cost a change of threads, and make a group of its own.
        @enough = limit - [limit / PARTS, 1].max
        # Groups of a window that is not large leave room for what is yielded and read meanwhile.
        @share = [limit / lanes, 1].max
        @full = @finished = @led = false
        @quick = true
        @error = @broken = nil
      end

      # The reader: waits for room, and puts an item in. Only the reader does, so it needs no lock; a leader says how
      # many it waits for before it looks how many there are.
      def add(item)
        await_room if @read - @yielded >= @limit
        @items << item
        @read += 1
        @lock.synchronize { wake_leader } if @items.size >= @wanted
      end

      # The source has ended, by itself or with an error, which the consumer gets after the results.
      def finish(error = nil)
        @lock.synchronize do
          @finished = true
          @error ||= error
          wake_leader
          @output.signal
        end
      end

      # A lane: waits for items that it may take.
      # @param most [Integer]
      # @return [Group, nil] nil when there will be no more
      def group(most)
        @lock.synchronize do
          @place.wait(@lock) while @led
          lead { (size = await_items([most, @share].min)) && take_group(size) }
        end
      end

      # A lane: the group is done.
      # @param results [Array] with a {Vacancy} for an item that has none
      def deliver(group, results)
        results = numbered(group, results) if results.any?(Failure)
        @lock.synchronize do
          @running -= 1
          keep(group, results)
          @output.signal if !@ordered || @results.key?(@taken)
          wake_leader if free.positive? || @finished
        end
      end

      # A lane cannot go on: the consumer gets the error at once.
      def break(error)
        @lock.synchronize { @broken ||= error }
        finish
      end

      # The consumer: waits for the next results.
      # @return [Array, nil] nil when all were taken
      # @raise what the source or the pool raised
      def take
        results = @lock.synchronize do
          until (ready = take_ready)
            raise @broken if @broken
            raise @error if @error && @taken == @read
            return if @finished && @taken == @read

            @output.wait(@lock)
          end
          ready
        end
        results.any?(Vacancy) ? leave_out(results) : results
      end

      # The consumer has had one of them. Nobody else counts here, and the reader looks at it after it has said that it
      # waits: so the lock is needed only to wake it.
      def yielded(count = 1)
        @yielded += count
        @lock.synchronize { @room.signal } if @full && @read - @yielded <= @enough
      end

      private

      def await_room
        @lock.synchronize do
          @full = true
          wake_leader
          @room.wait(@lock) until @read - @yielded <= @enough
          @full = false
        end
      end

      # To be called with the lock.
      def wake_leader
        return if @wanted == NO_WAKE_ITEMS

        @wanted = NO_WAKE_ITEMS
        @work.signal
      end

      def lead
        @led = true
        group = yield
        @running += 1 if group
        group
      ensure
        @led = false
        @place.signal
      end

      # The leader: waits until there are items for a group, or no more are to be waited for.
      # @param target [Integer] items of a group
      # @return [Integer, nil] how many to take; nil when there will be no more
      def await_items(target)
        waited = false
        until take_now?(size = free, target, waited)
          return if @finished && @read == @grouped

          waited = true if wait_for_items(size, target, waited)
        end
        @quick = size > 1
        [target, (size.to_f / [@workers - @running, 1].max).ceil].min
      end

      # While each worker has a group there is time to wait for a whole one. While one has none, the leader waits for
      # what a quick source has next, but not for long, and not for a reader that waits itself.
      def take_now?(size, target, waited)
        return size >= target if size.zero? || size >= target || (@running >= @workers && !@finished)

        waited || @full || @finished || !@quick
      end

      # @return [Boolean] whether it has waited long enough for a quick source
      def wait_for_items(size, target, waited)
        linger = @quick && !waited && !@finished && @running < @workers
        @wanted = size.zero? && !linger ? 1 : target
        @work.wait(@lock, (LINGER_S if linger)) unless free >= @wanted
        linger
      ensure
        @wanted = NO_WAKE_ITEMS
      end

      # @return [Integer] number of items that a lane may take
      def free
        @items.size
      end

      def take_group(size)
        group = Group.new(@grouped, @items.shift(size))
        @grouped += size
        group
      end

      def keep(group, results)
        @results[group.start] = results
      end

      # @return [Array, nil]
      def take_ready
        results = @ordered ? @results.delete(@taken) : @results.shift&.last
        @taken += results.size if results
        results
      end

      # What has no result has had its place in the window all the same.
      def leave_out(results)
        kept = results.grep_v(Vacancy)
        yielded(results.size - kept.size)
        kept
      end

      # The index of an item's Failure is the number of the item in the stream.
      def numbered(group, results)
        results.each_with_index.map do |result, place|
          Failure === result && result.index == place ? result.at(number(group, place)) : result
        end
      end

      def number(group, place)
        group.start + place
      end
    end
  end
end
