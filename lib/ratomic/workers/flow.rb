# frozen_string_literal: true

module Ratomic
  module Workers
    # The state of one run through a {Stream}: the items that were read and not yet yielded. One thread, the reader,
    # reads the source. Some threads, the lanes, dispatch groups of items to the pool and wait for them. The consumer
    # takes the results. With a key it is a {KeyedFlow}.
    #
    # These threads share one VM lock, and to wake one of them costs more than to parse ten lines. So items are put in
    # and taken out without a Mutex and without a wake-up, and groups are as large as the workers need. Of the idle
    # lanes one, the leader, waits for items; the others wait to become the leader. Only the reader changes `@read`,
    # only the consumer changes `@yielded` and `@taken`; everything else is changed under the lock.
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
        # A reader that has found the window full goes on only when a part of the window is free. If it went on with
        # each free place, each item would cost a switch of threads and become a group of its own.
        @enough = limit - [limit / PARTS, 1].max
        # In a small window groups are smaller, so that items can be read and yielded while a group is being run.
        @share = [limit / lanes, 1].max
        @full = @finished = @led = false
        @quick = true
        @error = @broken = nil
      end

      # Called by the reader: waits for room, and puts an item in. No other thread does this, so it needs no lock. The
      # leader sets how many items it waits for before it reads how many there are; so no wake-up is lost.
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

      # The consumer has had one result. Only the consumer changes this count, and a reader that waits reads it after it
      # has announced that it waits; so the lock is needed only to wake the reader.
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

      # An item without a result has taken a place in the window too.
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
