# frozen_string_literal: true

module Ratomic
  module Workers
    # The caller runs a small dispatch itself, in its own thread, because to wake a worker would take longer.
    #
    # Callers run only callables that workers have run before without trouble. A `throw` out of an item becomes a
    # Failure as in a worker. But `Thread.exit` ends the caller, as it would in a `map`. So does `exit` in the main
    # thread: it cannot be told from the `exit` of a `trap` handler, which Ruby may run in the middle of an item.
    #
    # Results are frozen as in a worker. In a pool of Ractors they are frozen in place: its callables can only reach
    # objects that are shareable, or that belong to their Ractor or thread. In a pool of threads a copy is frozen,
    # because the program may use the original elsewhere.
    #
    # If items take far longer than those of earlier dispatches, the pool gets the rest ({CallerBudget}).
    #
    # Variables that items set on the caller's thread are restored afterwards ({ThreadState}). A callable that sets
    # some, here or in a worker, is run by workers only from then on.
    #
    # After such a run the next small dispatches of that callable take a shorter way: one look at the {CallerRunsCache},
    # then the run. There the thread's variables are not checked, because that would take as long as the run itself. So
    # a callable that begins to set some only then can leave them on the caller's thread, until the cache entry ends.
    module CallerRuns
      # A dispatch with more than this many times the work that counts as small is always for the pool. One with a
      # single item is not: a worker needs as long for it as the caller.
      CERTAIN_FACTOR = 4
      # Nanoseconds of work from which the caller's time is compared with the pool's. To learn from a run takes some
      # microseconds. From a run of `ALWAYS_LEARNT_NS` or more it is always done; from shorter runs only from one in
      # `SAMPLE_RATE` (a power of two).
      MIN_COMPARED_NS = 50_000
      ALWAYS_LEARNT_NS = 500_000
      SAMPLE_RATE = 8

      # Runs the items of a callable that the {CallerRunsCache} has. This method repeats the code of {run} instead of
      # calling it: most dispatches come this way, and a few method calls would take longer than the dispatch.
      # @param items [Array] that the cache has accepted
      # @param callable [#call]
      # @param started [Integer] what the cache has returned
      # @return [ResolvedFuture, Future, nil] nil when this thread may not run them, see {Context.allowed?}
      def self.at_once(engine, items, callable, options, started)
        # The context of an item must not become the context of the dispatches that it makes.
        unless Context.current.nil?
          return Context.allowed?(nil) ? run(engine, items, callable, options, started, false) : nil
        end

        results = Sharing.room(items.size)
        outcome = nil
        limit = started + CallerBudget::BUDGET_NS if items.size > 2
        Thread.handle_interrupt(Interrupts::EXCEPTIONS_DEFERRED) do
          outcome = run_on(engine, items, callable, results, nil, limit)
        end
        if outcome
          run_until(limit, engine, items, callable, results, options, false) unless outcome == :left # one was left
          return finish(engine, items, callable, options, results, started, true)
        end

        took = engine.metrics.tally.record_and_freeze(started, results, engine.in_place)
        return sealed_future(engine, callable, options, results) unless took

        learn(engine, items, Callable.key(callable), took) if learn?(took, started)
        ResolvedFuture.new(results)
      rescue UserException, SignalException, SystemExit # as in run
        engine.costs.mark_caller_unsafe(Callable.key(callable))
        raise
      end

      # Runs the items, if they are for the caller.
      # @param callable [#call] admitted
      # @param options [Options] that let the caller run it
      # @return [ResolvedFuture, Future, nil] nil when the pool is to run all items
      # @yield when it is then to be compared how long the caller waits, see {RouteChooser}
      def self.future(engine, items, callable, options)
        return unless engine.subscribers.none? # subscribers get events of batches, and here is none

        key = Callable.key(callable, options.as)
        route = route(engine, items, key, options.min_batch)
        yield if route == :trial
        return unless route == :caller

        packed = Transfer.pack(items)
        measure(engine, packed, callable, key, options) unless packed.instance_of?(Transfer::Holed)
      end

      # Decides who runs the items.
      # @return [Symbol] :caller, :pool, or :trial
      def self.route(engine, items, key, least)
        small = engine.costs.small(key)
        return :pool unless small
        return items.size < least ? :caller : :pool unless least == :auto

        certain = items.size == 1 ? Float::INFINITY : small * CERTAIN_FACTOR
        return :pool if items.size * WorkEstimate::ITEM_WEIGHT > certain # an item weighs no less

        weight = WorkEstimate.of(items)
        return :caller if weight <= small
        return :pool if weight > certain || !engine.idle? # other callers wait, or will

        engine.costs.route_chooser.caller?(key) ? :caller : :trial
      end

      # Runs the items and learns from it.
      def self.measure(engine, items, callable, key, options)
        tally = engine.metrics.tally
        many = Runs.takes?(callable)
        state = ThreadState.new
        started = tally.start
        future = run(engine, items, callable, options, started, many)
        return future unless (done = ResolvedFuture === future)

        took = tally.start - started
        learn(engine, items, key, took)
        engine.metrics.names.by_caller(options.as, future, took) if options.as
        future
      ensure
        left = restore_thread(state, engine, key) if state
        # The short way cannot use `call_many`, knows callables by object, and knows nothing of a fallback.
        engine.costs.permit(callable, key) unless left || many || !done || !options.unnamed? || engine.fallback
      end

      # Restores the caller's thread. A callable that has changed something there is run by workers only from now on.
      # @return [Boolean] whether something had changed
      def self.restore_thread(state, engine, key)
        return false unless state.restore

        engine.costs.mark_caller_unsafe(key)
        true
      end

      # @param items [Array] shareable
      # @param started [Integer] see {Tally#start}
      # @param many [Boolean] whether the callable takes runs
      # @return [ResolvedFuture, Future] a Future where the rest was handed over
      def self.run(engine, items, callable, options, started, many)
        results = Sharing.room(items.size)
        limit = started + CallerBudget::BUDGET_NS if items.size > 2 # the limit has to be exceeded twice
        outcome = run_until(limit, engine, items, callable, results, options, many)
        finish(engine, items, callable, options, results, started, outcome)
      rescue UserException, SignalException, SystemExit
        # Nothing tells whether it came from outside or from the item. In case it was the item, workers run it next
        # time.
        engine.costs.mark_caller_unsafe(Callable.key(callable, options.as))
        raise
      end

      # @param outcome [Boolean] whether there are Failures
      # @return [ResolvedFuture, Future] as {run}
      def self.finish(engine, items, callable, options, results, started, outcome) # rubocop:disable Metrics/ParameterLists
        unless results.size == items.size
          future = Remainder.hand_over(engine, items, callable, options, results, started)
          return future if future

          outcome |= run_until(nil, engine, items, callable, results, options, false)
        end
        took = engine.metrics.tally.record_and_freeze(started, results, engine.in_place)
        took && !outcome ? ResolvedFuture.new(results) : sealed_future(engine, callable, options, results)
      end

      # @return [ResolvedFuture] of results among which there are Failures, or which are not sealed yet
      def self.sealed_future(engine, callable, options, results)
        results = Failures.number(results, 0)
        results = Interrupts.exceptions_deferred { ResultFreezer.seal(results, 0, sealing(engine)) }
        engine.count_by_caller(results, callable, options)
        results.any?(Vacancy) ? SparseFuture.new(results) : ResolvedFuture.new(results)
      end

      # Runs the items, all or until the time is over.
      # @param limit [Integer, nil] as {Tally#start}
      # @return [Boolean] whether there are Failures
      def self.run_until(limit, engine, items, callable, results, options, many) # rubocop:disable Metrics/ParameterLists
        failed = false
        Context.with(options.context) do
          Thread.handle_interrupt(Interrupts::EXCEPTIONS_DEFERRED) do # one call less than exceptions_deferred
            failed = run_many(engine, items, callable, results, options.as) if many
            until results.size == items.size
              failed |= (outcome = run_on(engine, items, callable, results, options.as, limit))
              break if outcome == :left
            end
          end
        end
        failed
      end

      # How results are made shareable, see {ResultFreezer}. With threads an item may return an object that the program
      # uses elsewhere.
      def self.sealing(engine)
        engine.in_place ? :in_place : :copied
      end

      # Runs all items in one call, see {Runs}. If the call raises, or leaves by `throw`, there are no results yet.
      # @return [Boolean] whether there are Failures
      def self.run_many(engine, items, callable, results, as)
        astray = true
        results.concat(Runs.results(callable, items))
        astray = false
        Runs.failed?(callable, results)
      rescue UserException
        astray = false
      rescue Exception # rubocop:disable Lint/RescueException -- as in run_on
        astray = false
        raise
      ensure
        if astray && Thread.current.status != "aborting"
          engine.costs.mark_caller_unsafe(Callable.key(callable, as))
          return false # rubocop:disable Lint/EnsureReturn
        end
      end

      # Runs the items that have no result yet. An item can leave this method by throw, break or return; that is stopped
      # here and becomes a Failure, as in a worker. What ends the thread, or is an exception for the caller, goes on.
      # @return [Boolean] whether there are Failures
      # @param limit [Integer, nil] as {Tally#start}; when it is over, the rest is left
      def self.run_on(engine, items, callable, results, as, limit = nil)
        astray = true
        failed = CallerBudget.run(items, callable, results, limit && engine.metrics.tally, limit)
        astray = false
        failed
      rescue Exception # rubocop:disable Lint/RescueException -- it is raised again
        astray = false
        raise
      ensure
        if astray && Thread.current.status != "aborting"
          engine.costs.mark_caller_unsafe(Callable.key(callable, as))
          results << PoolFailures.died(callable, results.size, :throw)
          return true # rubocop:disable Lint/EnsureReturn
        end
      end

      # @param started [Integer] whose last digits choose the dispatches of middling work
      def self.learn?(took, started)
        took >= MIN_COMPARED_NS && (took >= ALWAYS_LEARNT_NS || (started & (SAMPLE_RATE - 1)).zero?)
      end

      def self.learn(engine, items, key, took)
        engine.costs.route_chooser.learn_caller(key, took, items.size) if took >= MIN_COMPARED_NS
        engine.costs.learn(key, WorkEstimate.of(items), took, items.size)
      end
      private_class_method :measure, :run, :finish, :sealed_future, :run_until, :learn?
    end
  end
end
