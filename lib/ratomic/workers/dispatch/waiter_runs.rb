# frozen_string_literal: true

module Ratomic
  module Workers
    # With `run: :waiter` a small dispatch is run by the first thread that asks for its results, unless a worker has
    # begun it. The thread that dispatches (an event loop, a reactor, a listener) computes nothing. A larger dispatch is
    # run so where that is faster, see {Deferral}.
    #
    # The items run as in {CallerRuns}, in the waiter's thread. The waiter claims all of them. If it is killed while an
    # item runs, that item fails, the items before it keep their results, and workers run the items after it.
    module WaiterRuns
      class << self
        # Runs the batch, if it is small and nobody has begun it.
        # @param future [Future] of the batch
        # @param batch [Batch]
        def run(future, engine, batch)
          return unless free?(engine, batch) && small?(engine, batch)

          engine.metrics.by_waiter.increment
          attend(future, batch) { run_slice(engine, batch, batch.limit, CallerBudget::BUDGET_NS) }
        end

        # Runs a deferred batch, if nobody has begun it, in slices. Between two of them it notices interrupts and that
        # the dispatch was cancelled. The workers run what is left. Where this way is not known to be the faster one, it
        # ends after the time of a trial.
        # @param here [Boolean] whether this thread may run it; otherwise the workers get it now
        def run_deferred(future, engine, batch, here)
          return unless free?(engine, batch)
          return Deferral.release(engine, batch) unless here && !Deferral.scheduler?

          engine.metrics.by_waiter.increment
          first = batch.timed? # asked before the wait that follows, which is only for what the workers run of it then
          started = engine.metrics.tally.start
          limit = trial_end(engine, batch, started)
          ran = attend(future, batch) { run_slices(engine, batch, limit) }
          compare(engine, batch, ran, started, limit) if first && !batch.stopped?
        end

        private

        # @return [Integer, nil] as {Tally#start}; nil where this way is known to be the faster one
        def trial_end(engine, batch, started)
          started + Deferral::TRIAL_NS unless batch.chooser(engine.costs).settled?(batch.key)
        end

        # Learns how long the thread took for the items, if it has run all of them, or for the time of a trial.
        # @param ran [Integer] items
        def compare(engine, batch, ran, started, limit)
          now = engine.metrics.tally.start
          return unless ran == batch.size || (limit && now >= limit)

          units = ran == batch.size ? batch.units : WorkEstimate.sum(batch.items, 0, ran)
          batch.chooser(engine.costs).learn_caller(batch.key, now - started, units)
        end

        def attend(future, batch, &run)
          batch.waiter_count ? batch.waiter_count.during(future, false, &run) : yield
        end

        # @param limit [Integer, nil] as {Tally#start}; when it is over, the rest is left
        # @return [Integer] items that have run here
        def run_slices(engine, batch, limit)
          count = Deferral.slice(engine, batch)
          ran = 0
          before = engine.metrics.tally.start
          while left?(batch)
            done = run_slice(engine, batch, count, Deferral::MAX_SLICE_NS)
            ran += done
            now = engine.metrics.tally.start
            break if done < count || (limit && now >= limit)

            count = (count * Deferral::SLICE_NS / [now - before, 1].max).clamp(1, batch.limit)
            before = now
          end
          ran
        ensure
          Interrupts.deferred { engine.give_back(batch) if left?(batch) }
        end

        def left?(batch)
          batch.unclaimed.positive? && !batch.completion.complete?
        end

        # @param count [Integer] items
        # @param budget [Integer] nanoseconds
        # @return [Integer] items that have run
        def run_slice(engine, batch, count, budget)
          chunk = done = nil
          engine.show([batch.ticket, Thread.current.object_id].freeze, batch) do
            Interrupts.deferred { chunk = claim(engine, batch, count) } # an interrupt in between would lose the items
            done = chunk.nil? || measure(engine, chunk, budget)
          end
          chunk ? chunk.results.size : 0
        ensure
          Interrupts.deferred { finish(engine, chunk, done) } if chunk
        end

        # Whether this thread can run the batch. It does not run it inside an item (a {HelperThread} does that), nor if
        # only the pool's Ractor may call the callable.
        def free?(engine, batch)
          return false if batch.begun? || batch.size.zero? || !engine.backend.workers?
          return false if batch.slow_path? # items are missing
          return false unless Context.allowed?(batch.options.context)

          NestedDispatch.number.nil? && !(RactorLocalRefs::Ref === batch.callable) && engine.for_caller?
        end

        def small?(engine, batch)
          CallerRuns.route(engine, batch.items, batch.key, batch.options.min_batch) == :caller
        end

        # @return [Chunk, nil] of so many items; nil when nothing is left
        def claim(engine, batch, count)
          chunk = batch.claim_chunk(count, 1)
          engine.in_place ? chunk : chunk&.share_memory
        end

        # @param budget [Integer] nanoseconds
        # @return [true] when no item has ended the run; there may be some left
        def measure(engine, chunk, budget)
          batch = chunk.batch
          state = ThreadState.new
          started = engine.metrics.tally.start
          Context.with(batch.options.context) do
            Interrupts.exceptions_deferred do
              run_items(engine, chunk, started + budget)
              chunk.cut_short # an exception that comes at the end of this block is not the next item's
            end
          end
          learn(engine, chunk, engine.metrics.tally.start - started)
          true
        ensure
          CallerRuns.restore_thread(state, engine, batch.key) if state
        end

        # Of a deferred batch only slow items are learnt. Its times are without what it costs to bring results home;
        # beside them each chunk of a worker would look slow.
        def learn(engine, chunk, took)
          batch = chunk.batch
          items = batch.items[chunk.first, chunk.results.size]
          return if batch.deferred? && took <= Costs::MAX_CALLER_ITEM_NS * items.size

          CallerRuns.learn(engine, items, batch.key, took)
        end

        def run_items(engine, chunk, limit)
          batch = chunk.batch
          items = batch.items
          items = items[chunk.first...chunk.last].freeze unless chunk.first.zero? && chunk.last == items.size
          results = chunk.results
          limit = nil unless items.size > 2
          as = batch.options.as
          chunk.note_failures if run_many?(engine, items, batch, results)
          until results.size == items.size
            outcome = CallerRuns.run_on(engine, items, batch.callable, results, as, limit)
            chunk.note_failures if outcome
            break if outcome == :left
          end
        end

        # @return [Boolean] whether it has run all of them in one call, and there are Failures
        def run_many?(engine, items, batch, results)
          callable = batch.callable
          Runs.takes?(callable) && CallerRuns.run_many(engine, items, callable, results, batch.options.as)
        end

        # Files the results so far, and leaves the other items to the workers.
        def finish(engine, chunk, done)
          renumber(chunk)
          return Recovery.new(engine, chunk).run(:waiter).each { |part| engine.give_back(part) } unless done

          rest = chunk.first + chunk.results.size
          file(engine, chunk)
          engine.give_back(chunk.batch.part(rest, chunk.last)) if rest < chunk.last
        ensure
          engine.run_queue.leave_behind unless chunk.batch.deferred? # the batch is still in there
        end

        def file(engine, chunk)
          return if chunk.results.empty?

          chunk.seal
          engine.file(chunk.batch, chunk.first, chunk.results, chunk.failed?)
        end

        # The index of a Failure is that of its item in the dispatch.
        def renumber(chunk)
          return if chunk.first.zero?

          chunk.results.map!.with_index do |result, offset|
            Failure === result && result.index == offset ? result.at(chunk.first + offset) : result
          end
        end
      end
    end
  end
end
