# frozen_string_literal: true

module Ratomic
  module Workers
    # The statistics of a pool, read from its counters.
    class Stats
      UNSEEN = "Coverage is running, and counts nothing that runs in another Ractor; for test suites: " \
               "Ratomic::Workers.configure(backend: :thread)"

      CALLER_UNSAFE = "an item has ended its thread, left something on it, or used what only the main Ractor has"

      PER_WORKER = "it has an object in each worker (Workers.per_worker), and callers have none"

      # Whether Coverage is running, but does not see the code that workers run.
      # @param backend [Module]
      def self.unseen?(backend)
        !backend.covered? && Ractor.main? && defined?(::Coverage) && ::Coverage.respond_to?(:running?) &&
          ::Coverage.running?
      end

      # The largest number of callables that need the fallback and get a note of their own.
      MAX_FALLBACK_NOTES = 5

      # @param engine [Engine]
      def initialize(engine)
        @engine = engine
        @backend = engine.backend
        @fallback_engine = engine.fallback&.engine
        @metrics = engine.metrics
      end

      # Reads what has ended before what has begun. Workers go on meanwhile, and in this order no count of ended
      # dispatches or items is higher than that of begun ones.
      # @return [Hash] frozen
      def to_h
        counted = items
        latency = @metrics.latency
        counts = @metrics.counts
        stats = {
          name: @engine.name, backend: @backend.to_sym, size: @engine.size, state: state,
          dispatches: dispatches(counts, latency),
          items: counted,
          failures: @metrics.failures.to_h.reject { |_, count| count.zero? }, latency: histogram(latency),
          workers: workers(counts),
          costs: @engine.costs.to_h, **by_name, **in_detail, fallbacks: fallbacks(counts),
          events_dropped: @engine.subscribers.dropped.value, notes: notes(counts),
          troubles: { count: counts[:troubles], last: @metrics.trouble_log.to_h }
        }
        Ractor.make_shareable(stats)
      end

      private

      def items
        by_caller = @metrics.tally.items_by_caller
        finished = @engine.finished.value + by_caller
        accepted = @engine.accepted.value + by_caller
        { accepted: accepted, finished: [finished, accepted].min, in_flight: [accepted - finished, 0].max,
          dropped: [@metrics.dropped.value, finished].min }
      end

      def state
        return :running if @engine.open?

        @engine.terminated.complete? ? :ended : :ending
      end

      def dispatches(counts, latency)
        ended = latency.values.sum
        { made: [counts[:dispatches] + counts[:by_caller], ended].max, completed: ended,
          queued: [@engine, *@fallback_engine].sum { |engine| engine.run_queue.waiting_size },
          by_caller: counts[:by_caller] + counts[:overflowed], by_waiter: counts[:by_waiter],
          cancelled: counts[:cancelled], expired: counts[:expired],
          rejected: counts[:rejected] }
      end

      def histogram(latency)
        { count: latency.values.sum, seconds: @metrics.latency_sum, buckets: latency }
      end

      def workers(counts)
        worker_statuses = @engine.worker_statuses.to_h
        busy = worker_statuses.transform_values { |worker_status| worker_status.busy_nanoseconds / 1e9 }
        { alive: worker_statuses.size,
          busy: worker_statuses.count { |_, worker_status| worker_status.ticket.positive? }, busy_seconds: busy,
          busy_seconds_total: busy.values.sum + (@metrics.past_busy.value / 1e9), respawns: counts[:respawns],
          pauses: counts[:pauses], abandoned: counts[:abandoned], runners_replaced: counts[:runners_replaced],
          retries: counts[:retries], overdue: counts[:overdue] }
      end

      # What the pool's fallback has run, outside of its Ractors.
      def fallbacks(counts)
        { backend: @engine.fallback&.backend, items: counts[:fallback_items],
          dispatches: counts[:fallback_dispatches],
          workers: @fallback_engine ? @fallback_engine.worker_statuses.size : 0,
          callables: @engine.fallback ? @engine.fallback.callables : {} }
      end

      def by_name
        { names: @metrics.names.to_h, pipelines: @metrics.pipelines }
      end

      def in_detail
        { running: Running.new(@engine).to_a, callables: callables, last_failures: @metrics.last_failures.to_h }
      end

      # For each callable: the time of a small item, the size of a chunk, and whether the caller or the pool runs a
      # small dispatch, with the reason.
      def callables
        waking = @engine.costs.waking / 1e9
        @engine.costs.callables.map do |known|
          cost = known[:nanoseconds]
          small = known[:small]
          chunk = @engine.chunker.usual(cost)
          { name: known[:name], item_seconds: cost * WorkEstimate::ITEM_WEIGHT / 1e9, chunk: [chunk.begin, chunk.end],
            by_caller: small ? small / WorkEstimate::ITEM_WEIGHT : 0, reason: reason(known, waking) }
        end
      end

      # @return [String] why the caller runs small dispatches of the callable, or why it does not
      def reason(known, waking)
        return PER_WORKER if known[:caller_unsafe] == :per_worker
        return CALLER_UNSAFE if known[:caller_unsafe]
        unless known[:small]
          return "#{known[:stable_runs]} of #{Costs::MIN_STABLE_RUNS} chunks in a row had no slow item"
        end

        "to wake a worker takes #{Figures.time(waking)}"
      end

      def fallback_notes
        return [] unless @engine.fallback

        callables = @engine.fallback.callables
        notes = callables.first(MAX_FALLBACK_NOTES).map do |name, reason|
          "#{name} runs in #{Backend.of(@engine.fallback.backend).place} (fallback:): #{reason}"
        end
        more = callables.size - MAX_FALLBACK_NOTES
        more.positive? ? notes << "so do #{more} more callables" : notes
      end

      # @return [Array<String>] sentences about what is unusual or wrong in this pool
      def notes(counts)
        notes = []
        if counts[:pauses].positive?
          notes << "workers have died soon after their start, one after the other, #{counts[:pauses]} times; " \
                   "they are replaced more slowly then"
        end
        at_once = @backend.at_once
        if at_once && @engine.size > at_once
          notes << "#{@engine.size} workers, but Ruby runs #{at_once} Ractors at once (RUBY_MAX_CPU)"
        end
        if @engine.size > Etc.nprocessors * 2
          stops = HEAP_PER_RACTOR ? "a collection of shareable objects" : "each collection"
          notes << "#{@engine.size} workers for #{Etc.nprocessors} processors: #{stops} stops them all"
        end
        notes << UNSEEN if Stats.unseen?(@backend)
        notes + fallback_notes
      end
    end
  end
end
