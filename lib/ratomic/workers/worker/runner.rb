# frozen_string_literal: true

require_relative "run_location"

module Ratomic
  module Workers
    # The thread in a worker that runs items: takes a batch from the run queue, claims a chunk, puts the batch back
    # while more is left, runs the chunk and files the results. Besides it the worker has its main thread, the {Worker},
    # which notices when an item has ended this one.
    class Runner
      include RunLocation

      # @param engine [Engine]
      # @param worker_status [WorkerStatus] this worker's
      # @param control [Mailbox] this worker's, told when the thread ends
      # @param guard [Thread] the worker's main thread
      # @param open_share [OpenShare] the worker's
      def initialize(engine, worker_status, control, guard, open_share = OpenShare.new(engine, worker_status))
        @engine = engine
        @run_queue = engine.run_queue
        @worker_status = worker_status
        @control = control
        @guard = guard
        @open_share = open_share
        @gate = Thread::Mutex.new
        @shared = engine.backend.shared_memory?
        @batch = @callable = @chunk = @context = @woken = @many = @done = @thread = nil
      end

      # @param parts [Array<Batch>] to begin with
      # @return [self]
      def start(parts = [])
        @kept = parts.dup
        fresh = @search_state.nil?
        @search_state = SearchState.new(@run_queue, @worker_status)
        @order = BatchOrder.new(@run_queue)
        close # the thread before may have died while it waited for a parcel, which may not come to this one
        @thread = OwnThread.start do
          done = @engine.hooks.around(@engine, @worker_status.id, fresh, !@done) do
            @costs = LocalCostCache.new(@engine.costs, @engine.backend.chunk_time_factor)
            @done = placed { work }
          end
        ensure
          @control.send(done ? Worker::RUNNER_DONE : Worker::RUNNER_DIED)
        end
        self
      end

      # Ends the thread if it is running that item, or anything of that dispatch when the index is nil.
      # @return [Boolean] whether it was
      def interrupt(ticket, index = nil)
        @gate.synchronize do
          running = @chunk && @chunk.batch.ticket == ticket && (index.nil? || @worker_status.index == index)
          running ? @thread.kill.equal?(@thread) : false
        end
      end

      # Ends the thread, whatever it does.
      # @return [Boolean] whether it ended within that many seconds
      def kill(seconds)
        (@thread.nil? || @thread.kill) && join(seconds) # nil where none could be made
      end

      # @param seconds [Numeric, nil]
      # @return [Boolean] whether the thread has ended
      def join(seconds = nil)
        @thread.nil? || !@thread.join(seconds).nil?
      rescue Exception # rubocop:disable Lint/RescueException -- what an item raises into this thread meanwhile
        true
      end

      # Closes the mailbox at which its thread, which has ended, has waited for parcels: one that comes later would be
      # kept for good. (A port that is left open is collected: in a snapshot of Ruby 4.1 a message under way to it
      # crashes the process.)
      # @return [void]
      def close = @parcel_mailbox &&= Mailbox.close(@parcel_mailbox)

      # Takes over the batch and the chunk of the thread that has died.
      # @param what [Symbol] see {PoolFailures::DIED}
      # @return [Array<Batch>] what is still to be run
      def recovery(what)
        @search_state.resume
        hand = @order.hand
        chunk = @chunk
        @order.hand = @chunk = nil
        parts = @kept + (chunk ? Recovery.new(@engine, chunk).run(what) : [])
        if hand && !hand.completion.complete?
          parts <<= hand if hand.unclaimed.positive? # the batch may be in the run queue too, which does no harm
          audit(hand) unless chunk # the thread may have died after it claimed items and before it ran them
        end
        saved = parts
      ensure
        @worker_status.end_chunk(0)
        audit(hand, *@kept) unless saved # the worker's main thread was killed meanwhile
      end

      # Files the results that its chunk has so far. The thread may still run.
      # @param ticket [Integer, nil] of the dispatch, if only a chunk of that one is meant
      # @return [Chunk, nil]
      def file_so_far(ticket = nil)
        chunk, results = @gate.synchronize { [@chunk, @chunk&.so_far] }
        return unless chunk && (ticket.nil? || chunk.batch.ticket == ticket)

        Recovery.new(@engine, chunk).file(results, Worker::RUNNER_STOP_TIMEOUT_S)
        chunk
      end

      # Files the results so far, and asks the coordinator to find the items that are lost. The worker itself is left
      # alone.
      # @return [Array<Batch>] batches that the worker had kept for itself
      def give_up
        @search_state.resume
        chunk = file_so_far
        audit(chunk ? chunk.batch : @order.hand) # it may have claimed items of it that it has not run
        @kept.dup
      end

      private

      # Asks the coordinator to look for lost items of the batches.
      def audit(*batches)
        batches.compact.each { |batch| @engine.post([:audit, batch].freeze) }
      end

      # @return [Boolean] true when the run queue is closed and empty, false when the worker is about to end
      def work
        while (well = serve_next); end
        well.nil?
      end

      # Runs one chunk of the next batch. This is a method of its own so that no local variable of {#work} keeps a batch
      # alive while the worker waits.
      # @return [Boolean, Symbol, nil] nil when the run queue is closed and empty, or the worker is to end and bring
      #   home its owned results; false when it is about to end
      def serve_next
        return @open_share.close(@kept) || (@order.hand = nil) unless @open_share.open?(@kept)

        return idle unless (batch = @order.take(@kept))

        (batch.completion.complete? || serve(batch)) && !@worker_status.abandoned?
      end

      # Waits for a batch. Meanwhile the worker refers to no earlier batch, so that its results can be collected.
      # @return [Symbol, nil] as {RunQueue#await}
      def idle
        @engine.board.delete(@worker_status.id)
        soon = !@batch.nil? # batches come in bursts, or the caller that got the last results dispatches again
        @batch = @callable = nil
        @context = Context.switch(@context, nil)
        @woken = @run_queue.await(soon)
      end

      # Runs one chunk.
      # @return [Boolean] false when the worker is about to end
      def serve(batch)
        return true unless @batch.equal?(batch) || take_up(batch)
        return serve_parcel(batch) if batch.moved?

        cost = @costs.cost(batch.key)
        return true unless (chunk = @engine.chunker.cut(batch, @callable, cost, @run_queue.size))

        put_back(batch) if chunk.last < batch.limit
        run(batch, chunk, cost)
      end

      # For moved items: tells the coordinator that this worker is ready, and gets the next parcel of items from it.
      def serve_parcel(batch)
        return true unless (step = batch.claim(1))

        put_back(batch) if step + 1 < batch.limit
        @parcel_mailbox ||= @engine.backend.new_mailbox
        @engine.post([:ready, batch, @parcel_mailbox].freeze)
        first, items = @parcel_mailbox.receive
        return true unless items

        cost = @costs.cost(batch.key)
        stride = @engine.chunker.stride(cost)
        run(batch, batch.kind.new(batch, @callable, first, first + items.size, stride).unpack(items), cost)
      end

      # Puts the batch back into the run queue, at the end, so that dispatches take turns. A sequential batch stays with
      # its worker. If the queue is full, the worker goes on with the batch: it never waits for room.
      def put_back(batch)
        return @open_share.put_back(batch, @kept) if batch.owned? && !@shared
        return @kept.unshift(batch) if batch.options.sequential

        @kept << batch unless @run_queue.put_back(batch)
      rescue ::ClosedQueueError
        @kept << batch
      end

      def run(batch, chunk, cost)
        @worker_status.begin_chunk(batch.ticket, batch.slow_path? ? chunk.last : nil)
        chunk.whole if @many
        @chunk = take_in(chunk)
        @search_state.leave(chunk.estimate(cost))
        started = Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)
        @engine.costs.learn_waking(started - batch.born) if @woken
        @woken = false
        well = run_items(chunk, started)
        @run_queue.note_search(ended = Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond))
        @search_state.resume
        took = ended - started
        batch.completion.nudge if @run_queue.wakeup_pending?(took) # a woken worker may wait for this processor
        return file(batch, chunk, took, ended) if well

        chunk.blame_last unless chunk.death
        false
      end

      def file(batch, chunk, took, now)
        @costs.learn(chunk, took)
        @engine.file_chunk(chunk, now)
        @chunk = nil
        @worker_status.end_chunk(took)
        put_back(batch.part(chunk.next_index, chunk.last)) if chunk.cut?
        # The `freeze` of a result may have killed the worker's main thread, which ends soon. No other item is begun
        # then, because that item would be blamed for it.
        !(chunk.asked? && (@guard.pending_interrupt? || @guard.status == "aborting"))
      end

      # Prepares to run a batch other than the last one.
      # @return [Boolean] false when there is nothing to run
      def take_up(batch)
        @run_queue.wake_one if @woken == :untimed
        @engine.board[@worker_status.id] = batch
        callable = batch.target
        @many = Runs.takes?(callable) unless callable.equal?(@callable)
        @callable = callable
        @context = Context.switch(@context, batch.options.context)
        !@engine.overtaken?(@batch = batch)
      end
    end
  end
end
