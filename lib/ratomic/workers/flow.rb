# frozen_string_literal: true

module Ratomic
  module Workers
    # One run through a {Stream}: what was read and not yet yielded. A thread reads the source, some threads (lanes)
    # take groups of items to the pool and wait for them, and the consumer takes the results. All meet here, under one
    # lock.
    class Flow
      Group = Struct.new(:numbers, :items, :keys)
      PARTS = 4
      private_constant :PARTS

      # @param lanes [Integer] threads that take groups: each leaves the others their share
      # @param limit [Integer] items that were read and not yet taken
      # @param ordered [Boolean]
      # @param key [#call, nil]
      def initialize(lanes, limit, ordered, key)
        @lanes = lanes
        @limit = limit
        @ordered = ordered
        @key = key
        @lock = Thread::Mutex.new
        @room = Thread::ConditionVariable.new
        @work = Thread::ConditionVariable.new
        @output = Thread::ConditionVariable.new
        @pending = {} # key => [number, item] pairs that wait; a Hash keeps the order in which keys came
        @busy = {}    # keys of the groups that are running
        @results = {} # number => result
        @read = @taken = @yielded = @grouped = 0
        # A reader that has found the window full goes on when a part of it is free: with each place by itself an item
        # would cost a change of threads, and make a group of its own.
        @enough = limit - [limit / PARTS, 1].max
        @full = @finished = false
        @error = @broken = nil
      end

      # The reader: waits for room, and puts an item in.
      def add(item)
        key = @key ? own(@key.call(item)) : :all
        @lock.synchronize do
          await_room if @read - @yielded >= @limit
          (@pending[key] ||= []) << [@read, item]
          @read += 1
          @work.signal
        end
      end

      # The source has ended, by itself or with an error, which the consumer gets after the results.
      def finish(error = nil)
        @lock.synchronize do
          @finished = true
          @error ||= error
          @work.broadcast
          @output.broadcast
        end
      end

      # A lane: waits for items of keys that no other lane has.
      # @param most [Integer]
      # @return [Group, nil] nil when there will be no more
      def group(most)
        @lock.synchronize do
          until free?
            return if @finished && @pending.empty?

            @work.wait(@lock)
          end
          take_group([most, (waiting + @lanes - 1) / @lanes].min)
        end
      end

      # A lane: the group is done.
      # @param results [Array] with a {Vacancy} for an item that has none
      def deliver(group, results)
        @lock.synchronize do
          results.each_with_index { |result, place| @results[group.numbers[place]] = placed(result, place, group) }
          group.keys.each { |key| @busy.delete(key) }
          @work.broadcast if @key # others may wait for these keys
          @output.signal if !@ordered || @results.key?(@taken)
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
        @lock.synchronize do
          while (ready = take_ready).empty?
            raise @broken if @broken
            raise @error if @error && @taken == @read
            return if @finished && @taken == @read

            @output.wait(@lock)
          end
          ready
        end
      end

      # The consumer has had one of them. Nobody else counts here, and the reader looks at it after it has said that it
      # waits: so the lock is needed only to wake it.
      def yielded
        @yielded += 1
        @lock.synchronize { @room.signal } if @full && @read - @yielded <= @enough
      end

      private

      # A key that the source or an item may still change, or take along to another Ractor, is copied. Of one that is
      # equal to itself alone a copy would be another key.
      def own(key)
        copy = FrozenCopy.of(key)
        copy.eql?(key) && copy.hash == key.hash ? copy : key
      rescue StandardError # what cannot be copied
        key
      end

      def waiting
        @read - @grouped
      end

      def await_room
        @full = true
        @room.wait(@lock) until @read - @yielded <= @enough
        @full = false
      end

      # Without a key all items are free: they need no order among them.
      def free?
        @key ? @pending.any? { |key, _| !@busy[key] } : !@pending.empty?
      end

      def take_group(most)
        group = Group.new([], [], [])
        keys = free_keys(most)
        take_of(keys.shift, most - group.items.size, group) until keys.empty? || group.items.size >= most
        group
      end

      # @return [Array] of as many keys at most
      def free_keys(most)
        keys = []
        @pending.each_key do |key|
          keys << key unless @key && @busy[key]
          break if keys.size == most
        end
        keys
      end

      def take_of(key, most, group)
        waiting = @pending[key]
        waiting.shift(most).each do |number, item|
          group.numbers << number
          group.items << item
          @grouped += 1
        end
        @pending.delete(key) if waiting.empty?
        return unless @key

        @busy[key] = true
        group.keys << key
      end

      def take_ready
        if @ordered
          ready = []
          ready << @results.delete(@taken + ready.size) while @results.key?(@taken + ready.size)
        else
          ready = @results.values
          @results.clear
        end
        @taken += ready.size
        leave_out(ready)
      end

      # What has no result has had its place in the window all the same.
      def leave_out(ready)
        return ready unless ready.any?(Vacancy)

        kept = ready.grep_v(Vacancy)
        @yielded += ready.size - kept.size
        @room.signal if @full && @read - @yielded <= @enough
        kept
      end

      # The index of an item's Failure is the number of the item in the stream.
      def placed(result, place, group)
        Failure === result && result.index == place ? result.at(group.numbers[place]) : result
      end
    end
  end
end
