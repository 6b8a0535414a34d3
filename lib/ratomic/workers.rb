# frozen_string_literal: true

module Ratomic
  # A pool of workers that run Ruby in parallel, and the one line that a library calls:
  #
  #   future  = Ratomic::Workers.dispatch_async(payloads, ParseEvent)
  #   results = future.value(timeout: 5)
  #
  # The results are frozen and come in the order of the payloads. In the place of one that raised is a {Failure}.
  #
  # The methods of this module use the default pool, made at its first use.
  module Workers
    # The default pool, for all Ractors of the process.
    DEFAULT = Map.new
    private_constant :DEFAULT

    class << self
      # Runs the callable with each of the items in the default pool, see {Pool#dispatch_async}.
      # @overload dispatch_async(items, callable, **options)
      #   @return [Future]
      # @overload dispatch_async(items, **options) { |item| ... }
      #   @return [Future]
      def dispatch_async(items, callable = nil, options = nil, &block)
        return pool.dispatch_async(items, callable, options, &block) if block_given?

        pool.dispatch_async(items, callable, options)
      end

      # @return [Array] frozen results, see {Pool#map}
      def map(items, callable, progress: nil, **options)
        pool.map(items, callable, progress: progress, **options)
      end

      # @return [Reduction] see {Pool#reduce}
      def reduce(items, callable, options = nil, &block)
        pool.reduce(items, callable, options, &block)
      end

      # @return [Reducing] see {Pool#reduce_async}
      def reduce_async(items, callable, options = nil, &block)
        pool.reduce_async(items, callable, options, &block)
      end

      # @return [Stream] see {Pool#stream}
      def stream(source, callable, **options)
        pool.stream(source, callable, **options)
      end

      # Several callables as one: each gets what the one before returned.
      # @param stages [Array<#call>]
      # @return [Pipeline]
      # @raise [ArgumentError, CallableError]
      def pipeline(*stages)
        Pipeline.new(*stages)
      end

      # A callable with an object of its own in each worker: for parsers, encoders, compiled templates and clients.
      #
      #   PARSER = Ratomic::Workers.per_worker(MakeParser, call: :parse)
      #
      # @overload per_worker(factory, call: :call)
      #   @param factory [#call] shareable; called without arguments, in the worker
      # @overload per_worker(call: :call) { }
      #   @yieldreturn [Object] the block uses constants, and variables that are frozen and set once
      # @param call [Symbol] the method of the object that gets an item and returns its result
      # @return [PerWorker]
      # @raise [CallableError] when the factory cannot be shared
      # @raise [ArgumentError] without a factory and a block, or with both
      def per_worker(factory = nil, call: :call, &block)
        raise ArgumentError, "per_worker needs a factory or a block" unless factory.nil? ^ block.nil?

        PerWorker.new(factory || Blocks.share(block, "block of per_worker"), call)
      end

      # @return [Explanation] see {Pool#explain}
      def explain(items, callable, results: nil, as: nil, try: Explanation::UNTRIED)
        pool.explain(items, callable, results: results, as: as, try: try)
      end

      # @return [String] the statistics of all pools of this process that have workers, for Prometheus: one text, with
      #   each name described once. Pools of one name are told apart by a label `number`
      def to_prometheus
        Prometheus.new(*Pool.running.map { |_number, pool, _engine| pool.stats }).to_s
      end

      # Sets how the default pool is made. Call it before the first dispatch; a default pool that is there already is
      # shut down without waiting, and finishes what it has accepted.
      # @param settings see {Pool#initialize}
      # @return [Pool]
      def configure(**settings)
        made = Pool.new(**settings)
        before = DEFAULT[:pool]
        DEFAULT[:pool] = made
        before&.shutdown(timeout: 0)
        made
      end

      # @return [Pool] the default pool, made at the first use with a worker for each processor
      def pool
        DEFAULT[:pool] || DEFAULT.fetch_or_store(:pool) { Pool.new(name: "default") }
      end

      # Shuts the default pool down; the next dispatch makes a new one.
      # @param timeout [Numeric, nil] seconds
      # @return [Boolean] false when the time was up
      def shutdown(timeout: nil)
        before = DEFAULT.delete(:pool)
        before ? before.shutdown(timeout: timeout) : Clock.check(timeout)
      end

      # Lets `ratomic top` look at the pools of this process, through a socket in the file system that only its user can
      # open. It is removed when the program ends.
      # @param path [String] such as "/run/app/ratomic-#{Process.pid}.sock"
      # @return [StatsServer] with `close`
      # @raise [ArgumentError] when there is a file, or another process that serves
      def serve_stats(path)
        require_relative "workers/stats_server"
        StatsServer.new(path)
      end

      # The `context:` of the dispatch whose item is running in this thread.
      # @return [Object, nil]
      def context
        Context.current
      end
    end
  end
end

# From what stands alone to what is made of it. The folders are rooms, not namespaces.
%w[
  runtime/clock runtime/at_exit runtime/user_exception runtime/interrupts runtime/text runtime/own_thread
  runtime/thread_state vacancy unsafe_extension remedy failure progress monitoring/figures progress_bar event
  crossing/ractor_local_refs crossing/unshareable_reason crossing/unshareable_part crossing/references
  crossing/stateful_objects scheduling/bounded_cache crossing/lexical_scope crossing/constant_lookup
  crossing/ractor_capabilities crossing/calls crossing/known_calls crossing/own_constants crossing/isolation_lint
  crossing/callable crossing/blocks crossing/transfer crossing/moving scheduling/work_estimate
  scheduling/moving_averages scheduling/route_chooser scheduling/costs scheduling/local_cost_cache scheduling/chunker
  engine/settings engine/lifecycle engine/reserve engine/run_queue engine/mailbox engine/local_store
  engine/owned_results engine/pool_failures engine/result_recorder engine/cancellation engine/accompanied engine/engine
  engine/fallback_engine engine/fallback engine/uncoordinated_engine monitoring/last_failures monitoring/names
  monitoring/error_warning monitoring/metrics monitoring/subscribers monitoring/running monitoring/stats
  monitoring/prometheus
  monitoring/short_inspect monitoring/history monitoring/snapshot processes worker/worker_locals per_worker around
  worker/hooks worker/context worker/worker_status worker/search_state worker/batch_order worker/runs worker/partial
  worker/fold pipeline worker/by_process worker/halting worker/chunk worker/owned_chunk worker/plain_data worker/share
  worker/copied_share worker/open_share worker/recovery worker/run_location worker/runner worker/worker
  supervision/timer_queue supervision/move_buffer supervision/departing_workers supervision/worker_registry
  supervision/watchdog supervision/coordinator supervision/backend then_guard failing dispatch/grouped future
  dispatch/options dispatch/source dispatch/waiter_count dispatch/take_once dispatch/batch dispatch/resolved_future
  dispatch/sparse_future dispatch/owned_resolved_future dispatch/unpacking dispatch/owned_future
  dispatch/nested_dispatch dispatch/helper_thread dispatch/supervised_run dispatch/inline dispatch/caller_budget
  dispatch/remainder dispatch/caller_runs dispatch/owned_caller_runs dispatch/waiter_runs dispatch/dispatch
  dispatch/mapping dispatch/initial dispatch/reduce reduction reducing subscription way_home trial_run explanation flow
  keyed_flow stream pool runtime/fork_hook parse_json render_erb
].each { |name| require_relative "workers/#{name}" }
