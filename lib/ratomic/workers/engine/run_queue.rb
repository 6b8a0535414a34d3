# frozen_string_literal: true

module Ratomic
  module Workers
    # The queue from which workers take batches: one queue for batches that wait for their first worker, one for those
    # that were begun and have unclaimed items, and one of wake-ups for workers that sleep. (As Tokio's inject queue.)
    #
    # `max_queue:` counts only batches that wait. The queue of begun ones has room of its own; when it is full, a worker
    # goes on with the batch that it has. So only callers wait for room, never workers.
    #
    # It belongs to the {Engine}. Threads of any Ractor put batches in and take them out; only workers sleep here. The
    # queues are native, and there is no other lock. A batch may be in here twice, or be done already, which does no
    # harm; {#sweep} removes those that are done.
    #
    # To wake a thread costs both threads more than a small batch does. So a push wakes a worker only if no other worker
    # is **searching**: about to look into this queue. A worker counts as searching while it runs a chunk of a few
    # estimated microseconds; it does not while it runs a longer chunk, or one whose callable was never measured
    # ({SearchState}). Estimates can be wrong, and a worker can die. Two rules make up for that:
    #
    # - A sleeping worker looks again after {SEARCH_INTERVAL_S}. Only when all workers sleep, they sleep without a
    #   limit.
    # - A push also wakes a worker when no worker has looked for {MAX_SEARCH_AGE_NS}, or more than {ONE_WORKER_BATCHES}
    #   wait.
    class RunQueue
      # Time that a worker sleeps before it looks again, while others are awake.
      SEARCH_INTERVAL_S = 0.05
      # Passed with `**`: calls in a worker's loop must not have literal keywords (CRuby Bug #22075).
      SEARCH_TIMEOUT = { timeout: SEARCH_INTERVAL_S }.freeze
      # A worker whose chunk is estimated to take longer is not searching.
      LONG_CHUNK_NS = 20_000
      # When the last look is longer ago, searching workers are not relied on.
      MAX_SEARCH_AGE_NS = 1_000_000
      # A worker that was woken should run after this time.
      WAKE_LATENCY_NS = 150_000
      # With more batches than this, one searching worker is not enough.
      ONE_WORKER_BATCHES = 4

      # @return [Map] a worker's thread that waits inside an item => number of the engine that it waits for, see
      #   {NestedDispatch}
      attr_reader :waiting
      # @return [Counter] threads that stand in for such workers, see {HelperThread}
      attr_reader :compensating

      # @return [Reserve] workers in reserve
      attr_reader :reserve

      # @return [Queue] of batches that wait, and of those that were begun, see {BatchOrder}
      attr_reader :fresh, :begun

      # @param capacity [Integer] batches that wait
      # @param workers [Integer]
      def initialize(capacity, workers)
        @workers = workers
        @fresh = Queue.new(capacity)
        @begun = Queue.new(capacity + workers)
        @stale = Counter.new # batches that were stopped or run elsewhere, and may still be in here
        @wakeups = Queue.new(workers)
        @reserve = Reserve.new
        @searching = Counter.new # workers
        @sleeping = Counter.new
        @last_search = Counter.new # time of the last look
        @waiting = Map.new
        @compensating = Counter.new
        freeze
      end

      # Puts in a batch that no worker has begun.
      # @return [Boolean] false when there is no room
      # @raise [ClosedQueueError]
      def try_push(batch)
        put(@fresh, batch)
      end

      # Puts a batch back that has unclaimed items.
      # @return [Boolean] false when there is no room
      # @raise [ClosedQueueError]
      def put_back(batch)
        put(@begun, batch)
      end

      # As {#try_push}, but waits for room.
      # @param seconds [Numeric, nil]
      # @return [Boolean] false when the time was up
      # @raise [ClosedQueueError]
      def push(batch, seconds)
        return false unless @fresh.push(batch, timeout: seconds)

        wake_one
        true
      end

      # @return [Batch, nil] the first batch that waits, else the first that was begun
      def try_pop
        @fresh.try_pop || @begun.try_pop
      end

      # Whether it is the turn of a batch that was begun. Batches of both queues take turns, nearly as if they were in
      # one queue.
      # @param taken [Integer] batches that the worker has taken since it took a begun one
      def turn_of_begun?(taken)
        taken.positive? && (begun = @begun.size).positive? && taken * begun >= @fresh.size + begun
      end

      # Called when a batch in the queue may be done: it was stopped, or another thread than a worker ran it. {#sweep}
      # removes it.
      def leave_behind
        @stale.increment
      end

      # Removes batches that are done. The caller has interrupts deferred: a batch that was taken out and not put back
      # yet would be lost.
      # @return [Boolean] whether that has made room
      # @yieldparam batch [Batch] that cannot be put back, because the run queue was closed or is full by now
      def sweep
        return false if @fresh.closed? || @stale.reset.zero?

        count = @fresh.size
        kept = 0
        count.times do
          break unless (batch = @fresh.try_pop)
          next if batch.completion.complete?

          place(batch) ? kept += 1 : yield(batch)
        end
        kept < count
      end

      def full?
        @fresh.size >= @fresh.capacity
      end

      # Waits until there is a batch, in a worker.
      # @param soon [Boolean] whether one is expected at once
      # @return [Symbol, nil] :untimed when this worker slept without a limit, as the others did: it is to wake one of
      #   them ({#wake_one}) when it has taken the batch, so that this one sleeps with a limit from now on. (Before that
      #   each woken one would find the batch and wake the next.) Else :timed, or nil when the run queue is closed and
      #   empty
      def await(soon)
        stop_searching
        asleep = @sleeping.increment
        timed_out = false
        slept = :timed
        while empty? && !@fresh.closed?
          if timed_out && @sleeping.value >= @workers
            @wakeups.pop
            slept = :untimed
            # If another worker took the batch of this wake-up, sleep with the time limit next: this worker watches the
            # queue now. It wakes others only when it has a batch: without one it would take its own wake-up again and
            # again, and an idle pool would use a whole processor.
            timed_out = false
          else
            timed_out = timed_wait(soon)
            soon = false
          end
        end
        slept unless @fresh.closed? && empty?
      ensure
        end_sleep if asleep
      end

      # Called by a worker that stops searching: it begins a long chunk, sleeps or ends.
      def stop_searching
        @searching.decrement
        wake_one unless empty?
      end

      # Called by a worker that is searching again.
      def start_searching
        @searching.increment
      end

      # Wakes a worker, if more workers sleep than have been woken already.
      def wake_one
        @wakeups.try_push(true) if @sleeping.value > @wakeups.size
      rescue ::ClosedQueueError
        nil
      end

      # Whether a worker was woken and does not run yet.
      # @param nanoseconds [Integer] since when, at least
      def wakeup_pending?(nanoseconds)
        nanoseconds > WAKE_LATENCY_NS && !@wakeups.empty?
      end

      # @param nanoseconds [Integer] monotonic time at which a worker has looked
      def note_search(nanoseconds)
        @last_search.reset(nanoseconds)
      end

      # Whether there are batches, and every worker waits, inside an item, for other results.
      # @param here [Integer] threads that stand in for workers and are not to be counted
      def all_workers_wait?(here = 0)
        !empty? && @waiting.size >= @workers + @compensating.value - here
      end

      # @return [Integer] all batches, the begun ones as well
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

      # Refuses batches from now on, and wakes all workers.
      def close
        @begun.close
        @fresh.close
        @wakeups.close
      end

      private

      def put(queue, batch)
        return false unless queue.try_push(batch)

        wake_one if @searching.value < 1 || queue.size > ONE_WORKER_BATCHES ||
                    batch.born - @last_search.value > MAX_SEARCH_AGE_NS
        true
      end

      def empty?
        @fresh.empty? && @begun.empty?
      end

      # Puts the batch to the end of the queue. If that is full by now, it goes to the queue of begun batches. That one
      # can be full as well, and stay so: where pools wait for each other in a circle, it may be this thread that has to
      # empty it.
      # @return [Boolean] false when there is no room for it
      def place(batch)
        @fresh.try_push(batch) || @begun.try_push(batch)
      rescue ::ClosedQueueError
        false
      end

      def end_sleep
        @sleeping.decrement
        start_searching
      end

      # @return [Boolean] whether the time was up before a wake-up came
      def timed_wait(soon)
        (soon ? @wakeups.pop_soon(SEARCH_INTERVAL_S) : @wakeups.pop(**SEARCH_TIMEOUT)).nil?
      end
    end
  end
end
