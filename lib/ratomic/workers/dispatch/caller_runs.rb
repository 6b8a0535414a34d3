# frozen_string_literal: true

module Ratomic
  module Workers
    # Small work is done by the caller itself, in its own thread: waking a worker would take longer.
    #
    # Only a callable that workers have run before, and that behaved, is run so. What an item may do to its thread
    # (`throw`) becomes a Failure here as there; but `Thread.exit` ends the caller, as in a `map`. So does, in the main
    # thread, an `exit`: nothing tells it from that of a `trap` handler, which Ruby runs in the midst of an item.
    #
    # Results are frozen as a worker would freeze them. For a pool of Ractors where they stand: its callables cannot
    # reach what the program goes on changing, but for what they keep by Ractor or thread. For one of threads as copies.
    #
    # Where items take far longer than those before, the pool gets those that are left ({CallerBudget}).
    #
    # What items leave on their thread is taken away again; a callable that does so, here or in a worker, is not run by
    # callers any more. On the short way nobody looks: that would take as long as the rest. Until its permit ends a
    # callable that left nothing so far can leave something there.
    #
    # When a callable has just been run so, its next small dispatches take a short way: one look at the
    # {CallerRunsCache}, and the run.
    module CallerRuns
      # Work that is small, times this, is so much that the pool surely pays. Not for one item: that is as long in a
      # worker.
      CERTAIN_FACTOR = 4
      # Nanoseconds of work from which the caller's time is compared with the pool's. To learn from it takes some
      # microseconds: beside what is long that is nothing, and of the rest one in so many (a power of two) tells enough.
      MIN_COMPARED_NS = 50_000
      ALWAYS_LEARNT_NS = 500_000
      SAMPLE_RATE = 8

      # Runs the items, if the callable has a permit for them. It is in one piece, and says again what {run} says: most
      # dispatches come this way, and take less time than a few calls.
      # @param items [Array] see {Sharing}.snapshot: one that is not frozen has no permit
      # @param callable [#call]
      # @return [ResolvedFuture, Future, nil] nil where more has to be looked at
      def self.at_once(engine, items, callable, options)
        return unless (started = engine.costs.caller_runs_cache.take(callable, items))

        # An item that has a context must not hand it on to those that it dispatches.
        return run(engine, items, callable, options, started, false) unless Context.current.nil?

        results = []
        outcome = nil
        limit = started + CallerBudget::BUDGET_NS if items.size > 2
        Thread.handle_interrupt(Interrupts::FOREIGN_DEFERRED) do
          outcome = run_on(engine, items, callable, results, nil, limit)
        end
        if outcome
          run_until(limit, engine, items, callable, results, options, false) unless outcome == :left # one was left
          return finish(engine, items, callable, options, results, started, true)
        end

        took = engine.metrics.tally.settle(started, results, engine.in_place)
        return settle(engine, callable, options, results) unless took

        learn(engine, items, Callable.key(callable), took) if learn?(took, started)
        ResolvedFuture.new(results)
      rescue UserException, SignalException, SystemExit # as in run
        engine.costs.mark_wild(Callable.key(callable))
        raise
      end

      # Runs the items, if they are for the caller.
      # @param callable [#call] admitted
      # @param options [Options] that let the caller run it
      # @return [ResolvedFuture, Future, nil] nil when the pool is to run all items
      # @yield when it is then to be compared how long the caller waits, see {RouteChooser}
      def self.future(engine, items, callable, options)
        return unless engine.subscribers.none? # they are told of batches

        key = Callable.key(callable, options.as)
        place = place(engine, items, key, options.min_batch)
        yield if place == :trial
        return unless place == :caller

        packed = Transfer.pack(items)
        measure(engine, packed, callable, key, options) unless packed.instance_of?(Transfer::Holed)
      end

      # @return [Symbol] :caller, :pool, or :trial
      def self.place(engine, items, key, least)
        small = engine.costs.small(key)
        return :pool unless small
        return items.size < least ? :caller : :pool unless least == :auto

        certain = items.size == 1 ? Float::INFINITY : small * CERTAIN_FACTOR
        return :pool if items.size * WorkEstimate::ITEM_WEIGHT > certain # an item weighs no less

        weight = WorkEstimate.of(items)
        return :caller if weight <= small
        return :pool if weight > certain || !engine.idle? # somebody waits for later, or in another thread

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
        left = put_back(state, engine, key) if state
        # The short way knows no runs, goes by the callable object, and does not ask in which Ractor it is.
        engine.costs.permit(callable, key) unless left || many || !done || !options.unnamed? || engine.fallback
      end

      # The thread is the caller's own. A callable that leaves something there is for workers.
      # @return [Boolean] whether it did
      def self.put_back(state, engine, key)
        return false unless state.restore

        engine.costs.mark_wild(key)
        true
      end

      # @param items [Array] shareable
      # @param started [Integer] see {Tally#start}
      # @param many [Boolean] whether the callable takes runs
      # @return [ResolvedFuture, Future] a Future where the rest was handed over
      def self.run(engine, items, callable, options, started, many)
        results = []
        limit = started + CallerBudget::BUDGET_NS if items.size > 2 # it has to be late twice
        outcome = run_until(limit, engine, items, callable, results, options, many)
        finish(engine, items, callable, options, results, started, outcome)
      rescue UserException, SignalException, SystemExit
        # It came from outside or from an item; nothing tells which. It happens once.
        engine.costs.mark_wild(Callable.key(callable, options.as))
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
        took = engine.metrics.tally.settle(started, results, engine.in_place)
        took && !outcome ? ResolvedFuture.new(results) : settle(engine, callable, options, results)
      end

      # @return [ResolvedFuture] of results that have to be looked at
      def self.settle(engine, callable, options, results)
        results = Interrupts.foreign_deferred { Transfer.seal(results, 0, sealing(engine)) }
        engine.count_by_caller(results, callable, options)
        results.any?(Vacancy) ? SparseFuture.new(results) : ResolvedFuture.new(results)
      end

      # Runs the items, all or until the time is over.
      # @param limit [Integer, nil] as {Tally#start}
      # @return [Boolean] whether there are Failures
      def self.run_until(limit, engine, items, callable, results, options, many) # rubocop:disable Metrics/ParameterLists
        failed = false
        Context.with(options.context) do
          Thread.handle_interrupt(Interrupts::FOREIGN_DEFERRED) do # one call less than foreign_deferred
            failed = run_many(engine, items, callable, results, options.as) if many
            until results.size == items.size
              failed |= (outcome = run_on(engine, items, callable, results, options.as, limit))
              break if outcome == :left
            end
          end
        end
        failed
      end

      # Threads have the memory of the program, where what an item returns may be in use elsewhere.
      def self.sealing(engine)
        engine.in_place ? :in_place : :copied
      end

      # All items in one call, see {Runs}. When that raises, or leaves past us, there are no results yet.
      # @return [Boolean] whether there are Failures
      def self.run_many(engine, items, callable, results, as)
        astray = true
        results.concat(Runs.results(callable, items, 0))
        astray = false
        Runs.failed?(callable, results)
      rescue UserException
        astray = false
      rescue Exception # rubocop:disable Lint/RescueException -- as in run_on
        astray = false
        raise
      ensure
        if astray && Thread.current.status != "aborting"
          engine.costs.mark_wild(Callable.key(callable, as))
          return false # rubocop:disable Lint/EnsureReturn
        end
      end

      # Runs from where the results end. By throw, break or return an item can leave past us. That ends here, as it
      # would in a worker. What ends the thread, or is an exception for the caller, goes on.
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
          engine.costs.mark_wild(Callable.key(callable, as))
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
      private_class_method :measure, :run, :finish, :settle, :run_until, :learn?
    end
  end
end
