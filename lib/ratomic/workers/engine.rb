# frozen_string_literal: true

module Ratomic
  module Workers
    # What a started pool runs on: the lane, the mailbox of the coordinator, counters. Frozen and shareable, so that
    # callers and workers in any Ractor use the same. A fork leaves the child without workers; it gets a new engine.
    class Engine
      OPEN = 0
      CLOSING = 1
      CLOSED = 2
      IDLE = [:idle].freeze

      # @return [Map] number of a worker => batch that it has in hand
      attr_reader :board
      # @return [Map] number of a worker => its Pulse
      attr_reader :pulses
      # @return [Lane]
      attr_reader :lane
      # @return [Ractor::Port, Mailbox::QueueMailbox] of the coordinator
      attr_reader :mailbox
      # @return [Completion] of one slot, filled when the last worker has ended
      attr_reader :terminated
      # @return [Subscribers] to events
      attr_reader :subscribers
      attr_reader :number, :name, :size, :backend, :chunker, :costs, :metrics, :accepted, :finished

      # What an item that touches the main Ractor's things raises: in a worker, but not where the caller runs it.
      ISOLATION = "Ractor::IsolationError"
      NUMBERS = Counter.new

      # @param settings [Settings]
      def initialize(settings, mailbox)
        @number = NUMBERS.increment
        @name = settings.name
        @size = settings.size
        @backend = settings.backend
        @mailbox = mailbox
        @lane = Lane.new(settings.max_queue, @size)
        @costs = Costs.new
        @chunker = Chunker.new(@costs, @size)
        @metrics = Metrics.new
        @board = Map.new
        @pulses = Map.new
        @subscribers = Subscribers.new
        @accepted = Counter.new
        @finished = Counter.new
        @gate = Counter.new(OPEN)
        @terminated = Completion.new(1)
        freeze
      end

      def open?
        @gate.zero?
      end

      # No dispatch is accepted any more.
      # @param state [Integer] CLOSING, or CLOSED
      # @return [Integer] the state before
      def close(state)
        before = @gate.value
        before = @gate.value until before >= state || @gate.compare_and_set(before, state)
        before
      end

      # Tells the coordinator. When it has ended there is nothing to tell.
      def post(message)
        @mailbox.send(message)
      rescue *Mailbox::CLOSED
        nil
      end

      # Puts a batch, or what is left of one, into the lane for any worker.
      # @return [Boolean] false when there is no room
      def offer(batch)
        batch.completion.complete? || @lane.try_push(batch)
      rescue ::ClosedQueueError
        false
      end

      # Looks the callable over. Threads may have one that is not shareable; the inline backend is as strict as Ractors
      # are, and tells beforehand what they would find out.
      # @return [Object, Locals::Ref]
      # @raise [CallableError]
      def admit(callable)
        case @backend
        when :thread then Callable.any(callable)
        when :inline then Callable.strict(callable)
        else Callable.check(callable)
        end
      end

      # Counts the items in.
      # @raise [ShutdownError]
      def accept(batch)
        @accepted.increment(batch.size)
        raise ShutdownError, "the pool #{name} was shut down; make a new one" unless open?
      end

      # Takes back #accept, for a caller who was refused.
      def give_up(batch)
        stop(batch, Verdict::GIVEN_UP)
      end

      # Whether every item that was accepted has its result.
      def idle?
        @finished.value >= @accepted.value
      end

      # @param chunk [Chunk] as far as it has run
      def file_chunk(chunk)
        results = chunk.results
        return if results.empty?

        sealed = Transfer.seal(results, chunk.first)
        file(chunk.batch, chunk.first, sealed, chunk.failed? || !sealed.equal?(results))
      end

      # Files results where the caller waits for them.
      # @param results [Array] shareable
      # @param failed [Boolean] whether there may be Failures among them
      def file(batch, first, results, failed)
        count_failures(batch, first, results) if failed
        completion = batch.completion
        # Counted before they are filed: who has the value finds it in the statistics. (Where a slot may be filled twice
        # the count is not known before.)
        @finished.increment(results.size)
        finish(batch) if !batch.careful? && completion.completed + results.size >= batch.size
        fresh = completion.file(first, results)
        @finished.decrement(results.size - fresh) unless fresh == results.size
        finish(batch) if completion.complete?
        post(IDLE) unless open?
      end

      # Ends a batch early: what has no result yet becomes the failure.
      # @return [Integer] items that had none
      def stop(batch, failure)
        post([:drop, batch.ticket].freeze) if batch.moved?
        filled = batch.stop(failure)
        @finished.increment(filled)
        @metrics.failures.increment(failure.exception_class, filled) if filled.positive?
        forget(batch)
        post(IDLE) unless open?
        filled
      end

      # What is kept elsewhere for a batch is not needed any more.
      def forget(batch)
        Locals.take(batch.callable) if batch.callable.is_a?(Locals::Ref)
      end

      # The caller does not want it any more.
      # @return [Integer] items that had no result
      def cancel(batch)
        cancelled = stop(batch, Verdict.cancelled(batch))
        return 0 if cancelled.zero?

        @metrics.cancelled.increment
        emit(:cancelled, batch, items: cancelled)
        cancelled
      end

      # Its time is up.
      def expire(batch)
        expired = stop(batch, Verdict.expired(batch))
        return if expired.zero?

        @metrics.expired.increment
        emit(:expired, batch, items: expired)
      end

      # The time of one of its items is up.
      def time_out(batch, index)
        @metrics.overdue.increment
        emit(:overdue, batch, item: index)
        file(batch, index, [Verdict.overdue(batch, index)].freeze, true)
      end

      # @return [Float] share of the time that all workers together save, at best
      def gain
        1 - (1.0 / parallel)
      end

      # @return [Integer] workers that can run at a time
      def parallel
        @backend == :ractor ? [@size, Etc.nprocessors].min : 1
      end

      # Tells the subscribers, if there are any.
      def emit(name, batch = nil, details = {})
        @subscribers.tell(Event.new(name, @name, batch, details)) unless @subscribers.none?
      end

      # The last worker has ended.
      def end
        Pool::RUNNING.delete(@number)
        @mailbox.close
        emit(:ended)
        @subscribers.close
        @terminated.fill(true)
      end

      # A fork has left this process without the workers. What they had to do here becomes Failures; the parent's own
      # workers do it there.
      def lose
        close(CLOSED)
        while (batch = @lane.try_pop)
          stop(batch, Verdict::FORKED)
        end
        @board.values.each { |batch| stop(batch, Verdict::FORKED) }
        @terminated.fill(true)
      end

      # Stops everything.
      def kill
        close(CLOSED)
        @lane.close
        while (batch = @lane.try_pop)
          stop(batch, Verdict::KILLED)
        end
        @board.values.each { |batch| stop(batch, Verdict::KILLED) }
        post([:kill].freeze)
      end

      private

      def finish(batch)
        return unless batch.finish?

        took = Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond) - batch.born
        @metrics.complete(took)
        forget(batch)
        emit(:completed, batch, items: batch.size, seconds: took / 1e9) unless @subscribers.none?
      end

      def count_failures(batch, first, results)
        results.each_with_index do |result, offset|
          next unless result.is_a?(Failure)

          @metrics.failures.increment(result.exception_class)
          @costs.mark_wild(batch.key) if result.exception_class == ISOLATION
          emit(:failed, batch, item: first + offset, failure: result)
        end
      end

    end
  end
end
