# frozen_string_literal: true

module Ratomic
  module Workers
    # The shared lane: the queue of batches that wait for a worker, the queue of those that were begun and have more to
    # be claimed, and a bell for workers that sleep.
    #
    # Only what waits counts for `max_queue:`. What was begun has room of its own; when that is full a worker goes on
    # with the batch that it has.
    #
    # To wake a thread costs both sides more than a small batch does. So a worker is woken only when no other is about
    # to look into the run queue. One that runs a chunk of a few estimated microseconds is about to look; one in a
    # longer chunk, or of a callable that was never measured, is away. An estimate can be wrong, and a worker can die:
    # so a sleeping worker looks again from time to time, until all of them sleep, and a push rings when nobody has
    # looked for a while.
    class RunQueue
      # Seconds that a worker sleeps before it looks again, while others are awake.
      SEARCH_INTERVAL_S = 0.05
      # Keywords by splat: a call in a worker's loop may have none of its own (CRuby Bug #22075).
      SEARCH_TIMEOUT = { timeout: SEARCH_INTERVAL_S }.freeze
      # A chunk that takes more nanoseconds is long.
      LONG_CHUNK_NS = 20_000
      # Nanoseconds without a look after which nobody is trusted to look soon.
      MAX_SEARCH_AGE_NS = 1_000_000
      # Nanoseconds in which a worker that was woken should run.
      WAKE_LATENCY_NS = 150_000
      # With more batches than this one worker is not enough.
      ONE_WORKER_BATCHES = 4

      # @return [Map] thread that works for the pool and waits => number of the engine that it waits for, see
      #   {NestedDispatch}
      attr_reader :waiting
      # @return [Counter] threads that stand in for those, see {HelperThread}
      attr_reader :standing

      # @return [Reserve] workers in reserve
      attr_reader :bench

      # @param capacity [Integer] batches that wait
      # @param workers [Integer]
      def initialize(capacity, workers)
        @workers = workers
        @fresh = Queue.new(capacity)
        @begun = Queue.new(capacity + workers)
        @stale = Counter.new # batches that were stopped or run elsewhere, and may stand in here still
        @wakeups = Queue.new(workers)
        @bench = Reserve.new
        @looking = Counter.new  # workers that are about to look
        @sleeping = Counter.new
        @looked = Counter.new   # when one looked last
        @waiting = Map.new
        @standing = Counter.new
        freeze
      end

      # Takes a batch that nobody has begun.
      # @return [Boolean] false when there is no room
      # @raise [ClosedQueueError]
      def try_push(batch)
        put(@fresh, batch)
      end

      # Takes what is left of one.
      # @return [Boolean] false when there is no room
      # @raise [ClosedQueueError]
      def put_back(batch)
        put(@begun, batch)
      end

      # Waits for room.
      # @param seconds [Numeric, nil]
      # @return [Boolean] false when the time was up
      # @raise [ClosedQueueError]
      def push(batch, seconds)
        return false unless @fresh.push(batch, timeout: seconds)

        wake_one
        true
      end

      # @return [Batch, nil] the first that waits, or else of those that were begun
      def try_pop
        @fresh.try_pop || @begun.try_pop
      end

      # The next of those that were begun, when it is its turn: all batches take turns, as if they stood in one line.
      # @param taken [Integer] batches that the worker has taken since it took one of these
      # @return [Batch, nil]
      def try_pop_begun(taken)
        @begun.try_pop if taken.positive? && (begun = @begun.size).positive? && taken * begun >= @fresh.size + begun
      end

      # One that stands in here may be done: it was stopped, or run by others than workers.
      def leave_behind
        @stale.increment
      end

      # Takes out what is done. To be called with interrupts deferred: meanwhile a batch is in nobody's hand.
      # @return [Boolean] whether that has made room
      # @yieldparam batch [Batch] that finds the run queue closed
      def sweep
        return false if @fresh.closed? || @stale.reset.zero?

        count = @fresh.size
        kept = 0
        count.times do
          break unless (batch = @fresh.try_pop)

          kept += 1 if !batch.completion.complete? && turn_round(batch) { yield batch }
        end
        kept < count
      end

      def full?
        @fresh.size >= @fresh.capacity
      end

      # A worker waits for a batch.
      # @param soon [Boolean] whether one is expected at once
      # @return [Batch, nil] nil when the run queue is closed and empty
      def pop(soon)
        away
        asleep = @sleeping.increment
        napped = deep = false
        until (batch = try_pop) || @fresh.closed?
          if napped && @sleeping.value >= @workers
            @wakeups.pop
            deep = true
            napped = false # or it would ring for itself for ever when another has taken what it was woken for
          else
            napped = nap(soon)
            soon = false
          end
        end
        batch || try_pop
      ensure
        get_up(deep && batch) if asleep
      end

      # A worker is going to be busy for longer, or ends.
      def away
        @looking.decrement
        wake_one unless empty?
      end

      # A worker will look soon.
      def back
        @looking.increment
      end

      # Wakes a worker, if one sleeps that is not woken already.
      def wake_one
        @wakeups.try_push(true) if @sleeping.value > @wakeups.size
      rescue ::ClosedQueueError
        nil
      end

      # Whether a worker was woken that does not run yet.
      # @param nanoseconds [Integer] since when, at least
      def unheard?(nanoseconds)
        nanoseconds > WAKE_LATENCY_NS && !@wakeups.empty?
      end

      # @param nanoseconds [Integer] monotonic time at which a worker looks
      def look(nanoseconds)
        @looked.reset(nanoseconds)
      end

      # Whether there is something, and nobody to look before something has come of his waiting.
      # @param here [Integer] of those who stand in, not to be counted
      def deserted?(here = 0)
        !empty? && @waiting.size >= @workers + @standing.value - here
      end

      # @return [Integer] batches that wait for their turn, the begun ones as well
      def size
        @fresh.size + @begun.size
      end

      # @return [Integer] batches that nobody has begun
      def waiting_size
        @fresh.size
      end

      # @return [Integer] how many of those there may be
      def capacity
        @fresh.capacity
      end

      # No more batches.
      def close
        @begun.close
        @fresh.close
        @wakeups.close
      end

      private

      def put(queue, batch)
        return false unless queue.try_push(batch)

        wake_one if @looking.value < 1 || queue.size > ONE_WORKER_BATCHES ||
                    batch.born - @looked.value > MAX_SEARCH_AGE_NS
        true
      end

      def empty?
        @fresh.empty? && @begun.empty?
      end

      # Puts it to the tail. When others have taken its place it goes to the begun ones, as what was in here first.
      def turn_round(batch)
        Thread.pass until @fresh.try_push(batch) || @begun.try_push(batch)
        true
      rescue ::ClosedQueueError
        yield
        false
      end

      # @param deep [Boolean] whether the others sleep as deep; now that one is awake they are to nap
      def get_up(deep)
        @sleeping.decrement
        wake_one if deep
        back
      end

      # @return [Boolean] whether it was over before anybody rang
      def nap(soon)
        (soon ? @wakeups.pop_soon(SEARCH_INTERVAL_S) : @wakeups.pop(**SEARCH_TIMEOUT)).nil?
      end
    end
  end
end
