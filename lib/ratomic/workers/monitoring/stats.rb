# frozen_string_literal: true

module Ratomic
  module Workers
    # What a pool tells about itself, read from its counters at one moment.
    class Stats
      # Ractors that run at a time when RUBY_MAX_CPU does not say otherwise.
      RUNNING_AT_ONCE = HEAP_PER_RACTOR ? Etc.nprocessors : 8

      # RUBY_MAX_CPU as Ruby reads it: what is no positive number says nothing. RUBY_MN_THREADS=-1 gives each Ractor a
      # native thread of its own (in a Ruby that knows it).
      # @return [Integer, Float] Ractors that Ruby runs at a time
      def self.running_at_once(environment = ENV)
        return Float::INFINITY if HEAP_PER_RACTOR && environment["RUBY_MN_THREADS"].to_i.negative?

        asked = environment["RUBY_MAX_CPU"].to_i
        asked.positive? ? asked : RUNNING_AT_ONCE
      end

      UNSEEN = "Coverage is running, and counts nothing that runs in another Ractor; for test suites: " \
               "Ratomic::Workers.configure(backend: :thread)"

      WILD = "an item has ended its thread, left something on it, or used what only the main Ractor has"

      PER_WORKER = "it has an object in each worker (Workers.per_worker), and callers have none"

      # Whether there are tools at work that do not see what workers run.
      def self.unseen?(backend)
        backend == :ractor && Ractor.main? && defined?(::Coverage) && ::Coverage.respond_to?(:running?) &&
          ::Coverage.running?
      end

      # So many callables that run there have a note each.
      NAMED = 5
      # Where a `fallback:` runs items, for people.
      PLACES = { thread: "threads of the main Ractor", process: "processes" }.freeze

      # @param engine [Engine]
      def initialize(engine)
        @engine = engine
        @there = engine.fallback&.engine
        @metrics = engine.metrics
      end

      # Read in an order that keeps it consistent: what is done before what was begun.
      # @return [Hash] frozen
      def to_h
        counted = items
        latency = @metrics.latency
        counts = @metrics.counts
        stats = {
          name: @engine.name, backend: @engine.backend, size: @engine.size, state: state,
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
          queued: [@engine, *@there].sum { |engine| engine.run_queue.waiting_size },
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
        { alive: worker_statuses.size, busy: worker_statuses.count do |_, worker_status|
                                               worker_status.ticket.positive?
                                             end, busy_seconds: busy,
          busy_seconds_total: busy.values.sum + (@metrics.past_busy.value / 1e9), respawns: counts[:respawns],
          pauses: counts[:pauses], abandoned: counts[:abandoned], runners_replaced: counts[:runners_replaced],
          retries: counts[:retries], overdue: counts[:overdue] }
      end

      # What the pool has run outside of its Ractors.
      def fallbacks(counts)
        { backend: @engine.fallback&.backend, items: counts[:fallback_items],
          dispatches: counts[:fallback_dispatches], workers: @there ? @there.worker_statuses.size : 0,
          callables: @engine.fallback ? @engine.fallback.callables : {} }
      end

      def by_name
        { names: @metrics.names.to_h, pipelines: @metrics.pipelines }
      end

      def in_detail
        { running: Running.new(@engine).to_a, callables: callables, last_failures: @metrics.last_failures.to_h }
      end

      # What a small item costs, how many make a chunk, and who runs a small dispatch, with the reason.
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

      # @return [String] why the caller runs small dispatches of it, or does not
      def reason(known, waking)
        return PER_WORKER if known[:caller_unsafe] == :per_worker
        return WILD if known[:caller_unsafe]
        return "#{known[:calm]} of #{Costs::MIN_STABLE_RUNS} chunks in a row had no slow item" unless known[:small]

        "to wake a worker takes #{Figures.time(waking)}"
      end

      def fallback_notes
        return [] unless @engine.fallback

        callables = @engine.fallback.callables
        notes = callables.first(NAMED).map do |name, reason|
          "#{name} runs in #{PLACES[@engine.fallback.backend]} (fallback:): #{reason}"
        end
        callables.size > NAMED ? notes << "so do #{callables.size - NAMED} more callables" : notes
      end

      # @return [Array<String>] what a person should know
      def notes(counts)
        notes = []
        if counts[:pauses].positive?
          notes << "workers have died soon after their start, one after the other, #{counts[:pauses]} times; " \
                   "they are replaced more slowly then"
        end
        at_once = Stats.running_at_once
        if @engine.backend == :ractor && @engine.size > at_once
          notes << "#{@engine.size} workers, but Ruby runs #{at_once} Ractors at once (RUBY_MAX_CPU)"
        end
        if @engine.size > Etc.nprocessors * 2
          stops = HEAP_PER_RACTOR ? "a collection of shareable objects" : "each collection"
          notes << "#{@engine.size} workers for #{Etc.nprocessors} processors: #{stops} stops them all"
        end
        notes << UNSEEN if Stats.unseen?(@engine.backend)
        notes + fallback_notes
      end
    end
  end
end
