# frozen_string_literal: true

module Ratomic
  module Workers
    # What a worker is doing right now. The coordinator reads it here instead of asking the worker, because the worker
    # may be in a native call during which its Ractor cannot answer. Frozen and shareable, all of it in Counters.
    #
    # The numbers are not read in one step. So the coordinator sends the worker the numbers that it has read, and the
    # worker compares them with its own before it acts.
    class WorkerStatus
      IDLE = -1
      AT_WORK = 0
      ABANDONED = 1
      ENDED = 2
      private_constant :AT_WORK, :ABANDONED, :ENDED

      # @return [Integer] number of the worker in its pool
      attr_reader :id

      def initialize(id)
        @id = id
        @ticket = Counter.new(0)
        @last = Counter.new(0)
        @index = Counter.new(IDLE)
        @since = Counter.new(0)
        @long = Counter.new(0)
        @fate = Counter.new(AT_WORK)
        @busy = Counter.new(0)
        freeze
      end

      # A chunk begins.
      # @param last [Integer, nil] index after its last item, where somebody watches for items that run too long
      def begin_chunk(ticket, last)
        if last
          @index.reset(IDLE) # an item that has killed its thread has left its index here
          @last.reset(last)
        end
        @ticket.reset(ticket)
      end

      # The chunk may take long, so its start is recorded. For chunks of some microseconds it is not: that would take a
      # good part of their time.
      # @param nanoseconds [Integer] monotonic
      def begin_long(nanoseconds)
        @long.reset(nanoseconds)
      end

      def end_long
        @long.reset(0)
      end

      # @return [Integer, nil] monotonic nanoseconds at which the chunk began; nil where it was to be short
      def long_since
        since = @long.value
        since unless since.zero?
      end

      # @param nanoseconds [Integer] how long it took
      def end_chunk(nanoseconds)
        @busy.increment(nanoseconds)
        @ticket.reset(0)
      end

      def begin_item(index)
        @since.reset(Process.clock_gettime(Process::CLOCK_MONOTONIC, :microsecond))
        @index.reset(index)
      end

      def end_item
        @index.reset(IDLE)
      end

      # @return [Integer] of the dispatch whose chunk is running, 0 between chunks
      def ticket
        @ticket.value
      end

      # @return [Integer, nil] the watched item that is running
      def index
        index = @index.value
        index unless index == IDLE
      end

      # @return [Float] monotonic seconds at which that item began
      def since
        @since.value / 1_000_000.0
      end

      def last
        @last.value
      end

      # @return [Integer] nanoseconds that the worker has spent in chunks that have ended
      def busy_nanoseconds
        @busy.value
      end

      # As {#busy_nanoseconds}, with the chunk that is running, if its start was recorded.
      # @param now [Integer] monotonic nanoseconds
      # @return [Integer]
      def busy_until(now)
        since = long_since
        busy_nanoseconds + (since ? [now - since, 0].max : 0)
      end

      # The worker is abandoned: another one takes its place.
      # @return [Boolean] false when it has ended, or was abandoned before
      def abandon
        @fate.compare_and_set(AT_WORK, ABANDONED)
      end

      def abandoned?
        @fate.value == ABANDONED
      end

      # The worker ends, with all its threads.
      # @return [Boolean] whether it had been abandoned
      def end
        !@fate.compare_and_set(AT_WORK, ENDED)
      end
    end
  end
end
