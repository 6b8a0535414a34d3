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
      def map(items, callable = nil, progress: nil, **options, &block)
        pool.map(items, callable, progress: progress, **options, &block)
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
      def stream(source, callable = nil, **options, &block)
        pool.stream(source, callable, **options, &block)
      end

      # Several callables as one: each gets what the one before returned.
      # @param stages [Array<#call>]
      # @return [Pipeline]
      # @raise [ArgumentError, CallableError]
      def pipeline(*stages, &block)
        Pipeline.new(*stages, &block)
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
      def explain(items, callable = nil, results: nil, as: nil, try: Explanation::UNTRIED, &block)
        pool.explain(items, callable, results: results, as: as, try: try, &block)
      end

      # @return [String] the statistics of all pools of this process that have workers, in the text format of
      #   Prometheus. Pools of the same name differ by a label `number`.
      def to_prometheus
        Prometheus.new(*Pool.running.map { |_number, pool, _engine| pool.stats }).to_s
      end

      # Sets how the default pool is made. Call it before the first dispatch; a default pool that is there already is
      # shut down without waiting, and finishes what it has accepted.
      # @param settings see {Pool#initialize}
      # @return [Pool]
      # @raise [ArgumentError] with a block, as {Pool#initialize}
      def configure(**settings)
        Arguments.no_block(block_given?, "configure", "give it keywords: configure(size: 4, max_queue: 100)")
        made = Pool.new(**settings)
        DEFAULT.get_and_set(:pool, made)&.shutdown(timeout: 0)
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
      # @raise [ArgumentError] when there is a file, a process that serves already, or no such folder, or when the path
      #   is too long for a socket
      # @raise [TypeError]
      # @raise [NotImplementedError] in another Ractor than the main one
      # @raise [TrapError] in a signal handler, if it is the first call
      def serve_stats(path)
        Trap.explain { require_relative "workers/stats_server" }
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

# A file requires what it needs to be loaded. What it needs to run is loaded before the first call, in any order.
require_relative "workers/runtime/all"
require_relative "workers/crossing/all"
require_relative "workers/scheduling/all"
require_relative "workers/engine/all"
require_relative "workers/monitoring/all"
require_relative "workers/worker/all"
require_relative "workers/supervision/all"
require_relative "workers/dispatch/all"
require_relative "workers/around"
require_relative "workers/event"
require_relative "workers/explanation"
require_relative "workers/failing"
require_relative "workers/failure"
require_relative "workers/failures"
require_relative "workers/flow"
require_relative "workers/flow_direct"
require_relative "workers/flow_leader"
require_relative "workers/flow_window"
require_relative "workers/future"
require_relative "workers/keyed_flow"
require_relative "workers/parse_json"
require_relative "workers/per_worker"
require_relative "workers/pipeline"
require_relative "workers/pool"
require_relative "workers/processes"
require_relative "workers/progress"
require_relative "workers/progress_bar"
require_relative "workers/reducing"
require_relative "workers/reduction"
require_relative "workers/remedy"
require_relative "workers/render_erb"
require_relative "workers/stream"
require_relative "workers/subscription"
require_relative "workers/then_guard"
require_relative "workers/trial_run"
require_relative "workers/unsafe_extension"
require_relative "workers/vacancy"
require_relative "workers/way_home"
