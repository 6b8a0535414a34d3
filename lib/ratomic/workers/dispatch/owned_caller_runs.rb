# frozen_string_literal: true

module Ratomic
  module Workers
    # A small owned dispatch is run by the caller, as in {CallerRuns}; the results are not frozen. More work counts as
    # small here, because the pool would not only have to wake a worker, but also to end it or to copy its results.
    module OwnedCallerRuns
      # @param items [Array]
      # @param callable [#call] admitted
      # @param options [Options] that let the caller run it
      # @return [OwnedResolvedFuture, nil] nil when the pool is to run the items
      def self.future(engine, items, callable, options)
        return unless engine.subscribers.none? # subscribers get events of batches, and here is none

        key = Callable.key(callable, options.as)
        return unless small?(engine, items, key, options.min_batch)

        packed = Transfer.pack(items)
        return if packed.instance_of?(Transfer::Holed)

        OwnedResolvedFuture.new(measure(engine, packed, callable, key, options), TakeOnce.new)
      end

      # Whether the items take less time than it takes to bring home what two workers would make of them.
      # @param least [Integer, :auto]
      def self.small?(engine, items, key, least)
        return false unless engine.costs.small(key) # it was measured often, and may be run by callers
        return items.size < least unless least == :auto

        cost = engine.costs.of(key)
        return false unless cost

        WorkEstimate.of(items) * cost * [engine.gain, Costs::MIN_GAIN].max < Share.cost(engine)
      end

      # Runs the items and learns from it.
      def self.measure(engine, items, callable, key, options)
        tally = engine.metrics.tally
        state = ThreadState.new
        started = tally.start
        results = run(engine, items, callable, options)
        took = tally.start - started
        tally.record_by_caller(took, items.size)
        CallerRuns.learn(engine, items, key, took)
        engine.metrics.names.by_caller(options.as, results, took) if options.as
        results
      ensure
        CallerRuns.restore_thread(state, engine, key) if state
      end

      def self.run(engine, items, callable, options)
        results = []
        Context.with(options.context) do
          Interrupts.exceptions_deferred do
            CallerRuns.run_many(engine, items, callable, results, options.as) if Runs.takes?(callable)
            CallerRuns.run_on(engine, items, callable, results, options.as) until results.size == items.size
          end
        end
        results = Failures.number(results, 0)
        engine.count_by_caller(results, callable, options) if Failures.any?(results) || results.any?(Vacancy)
        results
      rescue UserException, SignalException, SystemExit # as in CallerRuns.run
        engine.costs.mark_caller_unsafe(Callable.key(callable, options.as))
        raise
      end
      private_class_method :measure, :run
    end
  end
end
