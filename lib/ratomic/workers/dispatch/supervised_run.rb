# frozen_string_literal: true

module Ratomic
  module Workers
    # Runs one chunk in a thread of its own. The thread that has claimed the chunk waits for it and enforces its
    # deadlines.
    class SupervisedRun
      # Takes the place of the worker's main thread in {Chunk#run}. It has no interrupts: those of the waiting caller do
      # not come from the item.
      module Guard
        def self.pending_interrupt?
          false
        end
      end

      # Seconds between two checks whether the dispatch was ended elsewhere.
      CHECK_INTERVAL_S = 0.1
      # Seconds that an interrupted item gets to end before its thread is left alone.
      INTERRUPT_GRACE_S = 0.2

      # @param engine [Engine]
      # @param chunk [Chunk]
      def initialize(engine, chunk)
        @engine = engine
        @chunk = chunk.share_memory
        chunk.whole if !chunk.batch.moved? && Runs.takes?(chunk.batch.target) # moved items run one by one here
        @batch = chunk.batch
        @worker_status = WorkerStatus.new(0)
        @gate = Thread::Mutex.new
        @begun = false
      end

      # @return [Array<Batch>] what is left when an item has ended the thread
      def run
        Interrupts.deferred { @thread = start } # an interrupt in between would leave a thread that nobody waits for
        until @thread.join(seconds_left)
          rest = overdue
          return cut_off(rest) if rest
        end
        finish
      ensure
        leave_thread if @thread&.alive?
      end

      private

      # An item cannot be interrupted, or the waiting thread was killed.
      def leave_thread
        @thread.kill
        AtExit.stuck(@worker_status) if @begun # it reports its own end only after this
      end

      def start
        NestedDispatch.thread do
          AtExit::RUNS.increment
          @begun = true
          NestedDispatch.enter(@engine)
          Context.with(@batch.options.context) do
            @chunk.slow_path? ? @chunk.run_watched(Guard, @worker_status, @gate) : @chunk.run(Guard)
            @chunk.seal
          end
          :done
        ensure
          AtExit::RUNS.decrement if @begun
          AtExit.unstuck(@worker_status)
        end
      end

      # @return [Float] until the next deadline, or the next look
      def seconds_left
        at = [@batch.expiry, item_limit].compact.min
        at ? (at - Clock.now).clamp(0.001, CHECK_INTERVAL_S) : CHECK_INTERVAL_S
      end

      # An item that begins now cannot be overdue before its own `item_timeout:` is over.
      def item_limit
        return unless (limit = @batch.options.item_timeout)

        (@worker_status.index ? @worker_status.since : Clock.now) + limit
      end

      # Ends the item that has run too long.
      # @return [Integer, nil] index of the first item that may still run
      def overdue
        return stop if @batch.completion.interrupted?
        return expire if @batch.expiry && Clock.now >= @batch.expiry
        return unless @batch.options.item_timeout

        @gate.synchronize do
          next unless (index = @worker_status.index) && Clock.now >= item_limit

          @engine.time_out(@batch, index)
          @thread.kill
          index + 1
        end
      end

      def expire
        file_so_far
        @engine.expire(@batch)
        stop
      end

      def stop
        @thread.kill
        @chunk.last
      end

      # A thread in a native call that cannot be interrupted is left alone. Its result is ignored if it comes.
      def cut_off(rest)
        return finish if @thread.join(INTERRUPT_GRACE_S)

        file_so_far
        rest < @chunk.last ? [@batch.part(rest, @chunk.last)] : []
      end

      def finish
        return [] if @batch.completion.complete? # what was filed at the deadline would be counted twice
        return Recovery.new(@engine, @chunk, timed: true).run(:thread) unless @thread.value == :done

        Interrupts.deferred { @engine.file_chunk(@chunk) } # it is sealed
        []
      end

      def file_so_far
        Recovery.new(@engine, @chunk).file(@gate.synchronize { @chunk.so_far }, INTERRUPT_GRACE_S)
      end
    end
  end
end
