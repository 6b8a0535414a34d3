# frozen_string_literal: true

module Ratomic
  module Workers
    # The rest of a dispatch that its caller began to run, and that takes far longer than earlier dispatches of this
    # callable. The pool runs it, so that the caller does not have to wait.
    module Remainder
      class << self
        # @param items [Array] of the dispatch, shareable
        # @param results [Array] of the first of them
        # @param started [Integer] see {Tally#start}
        # @return [Future, nil] nil when the caller is to go on, because there is no room or nobody to run it
        def hand_over(engine, items, callable, options, results, started)
          learn(engine, items.first(results.size), Callable.key(callable, options.as), started)
          sealed = Interrupts.exceptions_deferred do
            copy = Failures.number(results.map(&:itself), 0) # the caller may go on with them
            ResultFreezer.seal(copy, 0, CallerRuns.sealing(engine))
          end
          batch = Batch.new(items, items.size, items.size, callable, options, WorkEstimate.of(items))
          Interrupts.deferred do # items that were accepted and never finished would keep the pool from ending
            next unless push(engine, batch, sealed.size)

            engine.file(batch, 0, sealed, sealed.any?(Failure) || partial?(sealed))
            Future.new(engine, batch)
          end
        end

        private

        # The moving average follows slowly, so the callable is also removed from the {CallerRunsCache} at once.
        def learn(engine, items, key, started)
          CallerRuns.learn(engine, items, key, engine.metrics.tally.start - started)
          engine.costs.withdraw(key)
        end

        # Whether there is a partial sum among the results. It can have Failures that it has only counted.
        def partial?(results)
          results.any?(Partial)
        end

        # @return [Boolean] false where there is no room for it now
        def push(engine, batch, done)
          return false unless engine.backend.workers? && engine.open?

          batch.claim(done)
          engine.accepted.increment(batch.size)
          pushed = try_push(engine.run_queue, batch)
          pushed ? engine.metrics.count_batch(batch) : take_back(engine, batch)
          pushed
        end

        # Meanwhile the pool was not idle. If it is closing, and all else was done in that time, nobody else says so.
        def take_back(engine, batch)
          engine.accepted.decrement(batch.size)
          engine.wind_up unless engine.open?
        end

        def try_push(run_queue, batch)
          return false unless run_queue.try_push(batch)

          run_queue.wake_one if batch.unclaimed > 1
          true
        rescue ::ClosedQueueError
          false
        end
      end
    end
  end
end
