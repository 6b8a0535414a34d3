# frozen_string_literal: true

module Ratomic
  module Workers
    # A thread that runs chunks while the item of a worker waits for another dispatch, see {NestedDispatch}. It runs
    # chunks of that dispatch, or of batches in the run queue of the pool. (Java's ForkJoinPool calls this
    # compensation.)
    #
    # The waiting thread does not run them itself, for three reasons. It has to return as soon as its own result is
    # there, and it may be killed while it waits; but an item that was begun has to run to its end, because other
    # callers may wait for it. And that item may need a Mutex that the waiting item holds.
    module HelperThread
      NAME = "ratomic-helper"

      class << self
        # Runs the unclaimed items of a batch while the block waits for its results.
        # @return what the block returns
        def help(engine, batch)
          return yield unless batch.unclaimed.positive? && engine.backend.helpers?

          enough = false
          start(NestedDispatch.own_engine, NestedDispatch.engines) do
            parts = [batch]
            run(engine, batch) { step(engine, parts) until enough || parts.empty? || batch.completion.complete? }
          ensure
            parts&.each { |part| engine.give_back(part) unless part.equal?(batch) }
          end
          yield
        ensure
          enough = true
          engine.run_queue.leave_behind
        end

        # Whether all workers of a pool wait, and one of them waits for a pool that itself waits for this pool. The
        # batch that they wait for may be in the run queue of this pool, where no worker would take it.
        def needed?(engine)
          engine.run_queue.all_workers_wait? && circle?(engine)
        end

        # Serves the run queue while no worker does.
        # @return [Thread, nil] nil where none can be made
        def stand_in(engine)
          start(engine, engine.numbers.freeze) { nil while engine.run_queue.all_workers_wait?(1) && serve_next(engine) }
        end

        # Waits until the helper threads of this Ractor have ended. The Ractor is about to end.
        def join
          Thread.list.each { |thread| thread.join if thread.name == NAME }
        rescue Exception # rubocop:disable Lint/RescueException -- what an item raises into this thread meanwhile
          retry
        end

        private

        # @param own [Engine, nil] the engine for whose workers the thread stands in
        def start(own, engines, &work)
          compensating = own&.run_queue&.compensating
          Interrupts.deferred do # an interrupt here could leave the count higher than the number of threads
            compensating&.increment
            NestedDispatch.thread(NAME, engines, -> { compensating&.decrement }, &work)
          rescue ThreadError
            compensating&.decrement
            nil
          end
        end

        # Whether a worker of the pool waits, directly or through other pools, for the pool itself. (A batch can be in
        # the pool's own run queue while its own item waits for it: the rest of a chunk that was cut, which {help} does
        # not see.)
        def circle?(engine)
          ahead = engine.run_queue.waiting.values
          seen = []
          while (number = ahead.shift)
            return true if engine.numbers.include?(number) # its primary may pass items on to it
            next if seen.include?(number)

            seen << number
            ahead.concat(Pool::RUNNING[number]&.last&.run_queue&.waiting&.values.to_a)
          end
          false
        end

        # Runs one chunk of the next batch.
        # @return [Boolean] whether there was one
        def serve_next(engine)
          parts = []
          Interrupts.deferred { parts << engine.run_queue.try_pop } # an interrupt in between would lose the batch
          return false unless (batch = parts[0])
          return false if batch.moved? # only workers receive parcels
          return true if batch.completion.complete?

          run(engine, batch) { step(engine, parts) }
          true
        ensure
          parts.compact.each { |part| engine.give_back(part) if part.unclaimed.positive? }
        end

        def run(engine, batch, &block)
          done = false
          engine.show([batch.ticket, Thread.current.object_id].freeze, batch, &block)
          done = true
        ensure
          engine.post([:audit, batch].freeze) unless done # the thread was killed, and its chunk is lost
        end

        # Runs one chunk of the first of the parts, or drops that one.
        def step(engine, parts)
          chunk = chunk(engine, parts[0])
          chunk ? parts.concat(SupervisedRun.new(engine, chunk).run) : parts.shift
        end

        def chunk(engine, part)
          cost = engine.costs.of(part.key)
          part.claim_chunk(engine.chunker.size(part, cost), engine.chunker.stride(cost))
        end
      end
    end
  end
end
