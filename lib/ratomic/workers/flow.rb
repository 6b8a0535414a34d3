# frozen_string_literal: true

require_relative "flow_direct"
require_relative "flow_leader"
require_relative "flow_lock"
require_relative "flow_window"

module Ratomic
  module Workers
    # The state of one run through a {Stream}: the items that were read and not yet yielded. A **reader** is the thread
    # that reads the source, or another one in which the source yields. Some threads, the **lanes**, dispatch groups of
    # items to the pool and wait for them. The **consumer** takes the results. With a key it is a {KeyedFlow}.
    #
    # These threads share one VM lock, and to wake one of them costs more than to parse ten lines. So items are put in
    # and taken out without a Mutex and without a wake-up, and groups are as large as the workers need. Of the idle
    # lanes one waits for items ({FlowLeader}). Only readers change `@read`, only the consumer changes `@yielded` and
    # `@taken`; everything else is changed under the lock, which no thread has while it runs items or yields.
    #
    # Where a whole window is less work than it costs to wake these threads, the consumer runs the groups itself, and
    # the lanes rest ({#by_consumer=}).
    class Flow
      include FlowLock
      include FlowLeader
      include FlowDirect
      include FlowWindow

      # @return [Integer] items that a group has at most, so that it pays for its dispatch and is not long
      attr_accessor :group_size

      Group = Struct.new(:start, :items)

      # @param workers [Integer] that run groups
      # @param lanes [Integer] threads that take groups: each leaves the others their share
      # @param limit [Integer] items that were read and not yet yielded
      # @param ordered [Boolean]
      def initialize(workers, lanes, limit, ordered)
        @workers = workers
        @lanes = lanes
        @ordered = ordered
        @lock = Thread::Mutex.new
        @room = Thread::ConditionVariable.new
        @work = Thread::ConditionVariable.new
        @place = Thread::ConditionVariable.new
        @output = Thread::ConditionVariable.new
        @items = []    # that no lane has taken
        @results = {}  # number of the first item => results of a group
        @read = @taken = @yielded = @grouped = @running = 0
        set_up_direct
        @wanted = NO_WAKE_ITEMS # so many items wake the leader
        @group_size = 0
        self.limit = limit
        @process = Process.pid
        @full = @finished = @led = @by_consumer = false
        @quick = true
        @error = @broken = nil
      end

      # Called by a reader: waits for room, and puts an item in. It needs no lock: CRuby changes threads only at a jump
      # or at the end of a method, not between the lines that put it in. (Two readers may both find the last place of
      # the window free.) The leader sets how many items it waits for before it reads how many there are; so no wake-up
      # is lost.
      # @raise [ClosedQueueError] when the stream was left
      def add(item)
        await_room if @read - @yielded >= @limit
        @items << item
        @read += 1
        size = @items.size
        return dispatch_group(size) if size >= @direct_size

        synchronize { wake_leader } if size >= @wanted
      end

      # Called when the source has ended, or the thread that reads it. The consumer gets an error of the source after
      # the results.
      def finish(error = nil)
        synchronize do
          @finished = true
          end_direct if @read != @grouped # lanes run the others, or they wait for a key
          @error ||= error
          wake_leader
          @output.signal
        end
      end

      # Called by a lane: waits for items that it may take.
      # @param most [Integer]
      # @return [Group, DirectGroup, nil] a DirectGroup is to be settled; nil when the source has ended and nothing is
      #   left
      def group(most)
        synchronize do
          while more?
            next wait(@place) if @led || @by_consumer

            direct = take_over
            return direct if direct

            group = lead([most, @share].min) { @by_consumer }
            return group if group
          end
          @place.signal # the next thread has to see the end, too
          nil
        end
      end

      # Sets whether the consumer runs the items itself, while the lanes sleep. That is faster if a whole window is less
      # work than to wake all these threads.
      # @param yes [Boolean]
      def by_consumer=(yes)
        synchronize do
          @by_consumer = yes
          end_direct
          wake_leader
          @place.broadcast
        end
      end

      # Called by a lane when its group is done.
      # @param results [Array] with a {Vacancy} for an item that has none
      def deliver(group, results)
        results = numbered(group, results) if results.any?(Failure)
        synchronize do
          @running -= 1
          keep(group, results)
          # In a {KeyedFlow} items that were read earlier can still wait for their key, and so for the consumer.
          @output.signal if !@ordered || @results.key?(@taken) || (@by_consumer && @running.zero?)
          wake_leader if @finished || (free.positive? && !direct?)
        end
      end

      # Called by a lane that cannot go on. The consumer gets the error at once.
      def fail_with(error)
        synchronize do
          @broken ||= error
          end_direct
        end
        finish
      end

      # The consumer: waits for the next results.
      # @yieldparam group [Group] that the consumer is to run
      # @yieldreturn [Array] as for {#deliver}
      # @return [Array, nil] nil when all were taken
      # @raise what the source or the pool raised
      # @raise [ShutdownError] in a forked child, where the other threads are missing
      def take
        loop do
          raise PoolFailures::FORKED.to_error unless @process == Process.pid

          results = synchronize { take_ready || await_output }
          case results
          when nil then return
          when Array then return results.any?(Vacancy) ? leave_out(results) : results
          when DirectGroup then await_direct(results)
          else deliver(results, yield(results))
          end
        end
      end

      private

      # To be called with the lock, as what follows.
      # @return [Array, Group, nil]
      def await_output
        until (ready = take_ready || next_direct || group_of_consumer)
          raise @broken if @broken
          raise @error if @error && @taken == @read
          return if @finished && @taken == @read

          wait(@output)
        end
        ready
      end

      # While a group is in a lane its results come first.
      def group_of_consumer
        lead(@limit) { @broken } if @by_consumer && !@led && @running.zero? && more?
      end

      def more?
        !(@finished && @read == @grouped && @direct.empty?)
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

      # @return [DirectGroup, nil] that the consumer may wait for: with an order, only the one with the next results
      def next_direct
        return any_direct unless @ordered

        @direct.find { |direct| direct.group.start == @taken }
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
