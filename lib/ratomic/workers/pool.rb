# frozen_string_literal: true

module Ratomic
  module Workers
    # A pool of workers.
    #
    #   pool = Ratomic::Workers::Pool.new(size: 4, name: "parsers")
    #   pool.dispatch_async(payloads, ParseEvent).value(timeout: 5)
    #   pool.shutdown
    #
    # A Pool is frozen and shareable: it may be a constant, and any Ractor may dispatch to it. Its workers start with
    # the first dispatch, or with {#start}, and stay until {#shutdown} or {#kill}, also when nothing refers to the pool
    # any more. In a forked child it starts anew. Their threads have priority -3: beside other threads of the program
    # that compute, those of the `:thread` backend get less than their share.
    class Pool
      # The pools of this process that have workers: number of the engine => [pool, engine].
      RUNNING = Map.new
      # Failures that a reduction keeps, if nothing else is said.
      MAX_FAILURES = 100
      ENGINE = :engine
      private_constant :ENGINE

      # @api private
      # @return [Array<Array(Integer, Pool, Engine)>] those of this process that have workers, by their number
      def self.running
        RUNNING.to_h.sort.filter_map { |number, (pool, engine)| [number, pool, engine] unless engine.beside? }
      end

      # @param size [Integer, nil] workers; nil takes the number of processors. Ruby 4.0 runs Ractors on eight native
      #   threads at most; the environment variable RUBY_MAX_CPU allows more
      # @param name [String, nil]
      # @param backend [:ractor, :thread, :process, :inline, nil] nil takes `:ractor`, or `:thread` on Rubies without
      #   Ractors. `:process` runs items in forked processes: in parallel on every Ruby, whatever they do, and an item
      #   can be ended wherever it is. See the guide docs/guides/processes.md
      # @param max_queue [Integer] dispatches that nobody has begun, at most
      # @param fallback [:thread, :process, nil] runs again what fails because it ran in a Ractor: an item that raises
      #   `Ractor::IsolationError` or `Ractor::UnsafeError`, also as the cause of another exception, and a callable or
      #   block that cannot be shared. Results and Failures are then those of a pool with that backend, in the same
      #   future. Such a callable is remembered: its next dispatches go there at once. What an item has done before it
      #   failed is done twice. See the guide docs/guides/ractors.md. For workers that are no Ractors it changes nothing
      # @param recycle_after [Integer, Hash, nil] items, or `{ items:, megabytes: }` (either may be missing), after
      #   which a worker process is replaced; megabytes are those that it shares with no other process (Linux), looked
      #   at once a second; with `backend: :process` only
      # @param on_worker_start [#call, PerWorker, Array, nil] called with the number of a worker when it starts, before
      #   its first item, in the thread that runs its items; of a PerWorker the object is made. Shareable, or a block of
      #   constants (`proc { |number| ... }`). What it raises is counted with the `troubles` of the statistics. A worker
      #   process calls it itself, and so does each that replaces it
      # @param on_worker_stop [#call, Array, nil] the same when a worker ends: after {#shutdown}, where a Ractor goes
      #   home with owned results, and where a worker process is replaced in order. Not when it is killed or has died.
      #   {#shutdown} waits for it. With the `:inline` backend there are no workers, and no hooks
      # @param options what dispatches get that do not say otherwise, see {Options#initialize}
      def initialize(size: nil, name: nil, backend: nil, max_queue: nil, fallback: nil, **options)
        hooks = Hooks.new(options.delete(:on_worker_start), options.delete(:on_worker_stop))
        @settings = Settings.new(size: size, name: name, backend: backend, max_queue: max_queue, fallback: fallback,
                                 recycle_after: options.delete(:recycle_after), hooks: hooks)
        @options = Options.new(options)
        @cell = Map.new
        freeze
      end

      # Runs the callable with each of the items, in the workers.
      #
      # Items that are shareable are shared, others cross as frozen copies; with `move: true` they are handed over.
      # Returns at once, but for four cases: small work that the caller does itself (`min_batch:`), `max_queue:` with
      # `on_full: :block` or `:caller_runs`, the `:inline` backend, and in an item of the pool what is handed over
      # (`move: true`) or finds the queue full, which is run there (`on_full: :raise` raises).
      #
      # A block is made into a shareable proc. It may use what it is given, constants, and variables that are frozen and
      # set once; its self is that of where it is written, if that is shareable (a module), and else nil. Each call
      # makes a new one, and what is learnt of a callable is learnt by object: for what runs often keep a callable.
      #
      # @overload dispatch_async(items, callable, **options)
      #   @param items [Array, Enumerable]
      #   @param callable [#call] a shareable object, a module or class, or a shareable proc
      #   @param options see {Options#initialize}
      #   @return [Future]
      #   @raise [CallableError] with the path of what is in the way
      #   @raise [ShutdownError, QueueFullError]
      # @overload dispatch_async(items, **options) { |item| ... }
      #   @return [Future]
      #   @raise [CallableError] with Ruby's own reason, where the block uses what cannot be shared
      #   @raise [ShutdownError, QueueFullError]
      def dispatch_async(items, callable = nil, options = nil, &block)
        return dispatch_block(items, callable, options, block) if block_given? # cheaper than to look at `block`

        # Not `**options`: that makes a Hash at each call, also of nothing.
        chosen = options.nil? ? @options : @options.with(options)
        Dispatch.future(engine, items, callable, chosen)
      end

      # Runs the callable with each of the items, and waits for all of them: for scripts. When the thread is ended
      # meanwhile, by Ctrl-C or a `Timeout`, the dispatch is cancelled, and what runs of it is interrupted.
      # @param items [Array, Enumerable]
      # @param callable [#call]
      # @param progress [Boolean, String, #call, nil] true or a title draw a {ProgressBar} on standard error; an object
      #   is called with the {Progress} now and then, and when all is done, in the thread that waits. If it has a `stop`
      #   that is called with the {Progress} when the work is ended early
      # @param options see {Options#initialize}
      # @return [Array] frozen results
      # @raise the first Failure, as {Future#value!}; and as {#dispatch_async}
      def map(items, callable, progress: nil, **options)
        Mapping.new(self, items, callable, progress, options).run
      end

      # Runs the callable with each of the items, and folds the results where they are made: what comes home are partial
      # sums, one for each chunk that a worker ran, merged in the order of the items.
      #
      #   pool.reduce(payloads, ParseOrder, initial: 0) { |sum, order| sum + order["total"] }.sum
      #   pool.reduce(rows, CountRows)    # which has call, initial and merge
      #
      # How, is said by a block, with `initial:`, or by the callable itself.
      #
      # - A block `{ |sum, result| ... }` returns the new sum. It runs in workers: where these are Ractors it uses only
      #   what it is given, constants, and variables that are frozen and set once; its self is that of where it is
      #   written, if that is shareable (a module), and else nil. Two partial sums are merged by `merge:`, or by the
      #   block itself, where a sum is what a result is.
      # - A callable with `initial` and `merge(sum, other)`, in which `merge` adds results to sums as well, unless it
      #   has `add(sum, result)`. (One with `call_many` has its items in runs, see {Runs}.)
      #
      # What is to be promised, because nobody knows how the items are cut into chunks: the merge is associative, and
      # `initial` changes nothing (0 of a sum, {} of a count). With it each chunk begins, and the merge of the partial
      # sums. It need not be commutative.
      #
      # `initial:` is any object. One that is not frozen is copied for each chunk, its first level not frozen; one with
      # `call` (`-> { Hash.new { ... } }`) makes it. So the sum may be an object that is changed in the worker, and by
      # the merge, which gets its own one first and a frozen one second: a partial sum is made shareable when it comes
      # home, as any result. If it cannot be, its items have failed. A block that raises is the Failure of its item;
      # what it has done to the sum by then stays.
      #
      # Waits for the end, as {Future#value} does; a caller who is ended meanwhile cancels it.
      #
      # @overload reduce(items, callable, initial:, merge: block, max_failures: 100, **options) { |sum, result| ... }
      # @overload reduce(items, callable, max_failures: 100, **options)
      #   @param max_failures [Integer] how many Failures are kept, of all and of each chunk; the others are counted
      #   @param options see {Options#initialize}
      #   @return [Reduction]
      #   @raise [CallableError, ShareableError] when the callable, the block or `initial:` cannot be shared
      #   @raise [ArgumentError, TypeError, ShutdownError, QueueFullError]
      def reduce(items, callable, options = nil, &block)
        reducing = reduce_async(items, callable, options, &block)
        reducing.value
      ensure
        reducing&.cancel
      end

      # As {#reduce}, and returns at once, as {#dispatch_async} does.
      # @return [Reducing]
      def reduce_async(items, callable, options = nil, &block)
        options = options.to_h.merge(results: :frozen) # partial sums are small, and merged by the caller
        around = @options.with(options.slice(:around)).around
        reduce = Reduce.new(@settings, Around.wrap_summing(callable, around), options, block)
        fold = reduce.fold
        Reducing.new(dispatch_async(items, fold, options), fold, reduce.most)
      end

      # Starts the workers now instead of with the first dispatch. Returns before they are up. Worker processes are
      # forked in here, from the calling thread, before it returns: so a program that opens its connections and starts
      # its threads after that has workers which have none of them. Before that it collects garbage, three times: what
      # the program has loaded stays shared with the workers for longer then.
      # @return [self]
      def start
        Processes.prepare(@settings) if backend == :process && current.nil?
        engine
        self
      end

      # @return [Boolean] whether there are workers: since {#start} or the first dispatch, until a {#shutdown} or
      #   {#kill} has ended the last one. In a forked child not before its own start
      def started?
        engine = current
        !(engine.nil? || UncoordinatedEngine === engine || engine.ended?)
      end

      # Lets no more work in, and waits until all that was accepted is done and the workers have ended. In an item of
      # the pool itself, which would be waiting for its own end, it does not wait.
      # @param timeout [Numeric, nil] seconds
      # @return [Boolean] false when the time was up; the pool goes on ending, and {#kill} ends it at once
      def shutdown(timeout: nil)
        Clock.check(timeout)
        engine = current || unstarted
        engine.close
        engine.post(Engine::WIND_UP)
        return engine.terminated.wait(0) if NestedDispatch.within?(engine)

        NestedDispatch.wait(engine, timeout) { |seconds| engine.terminated.wait(seconds) }
      end

      # Ends the pool now. What has no result yet becomes a Failure; items that run are interrupted.
      # @return [self]
      def kill
        engine = current || unstarted
        engine.kill
        engine.terminated.wait(Coordinator::STOP_TIMEOUT_S * 2)
        self
      end

      # @return [Boolean] whether dispatches are refused
      def shutdown?
        (engine = current) ? !engine.open? : false
      end

      # @return [Hash] frozen, of Strings, Symbols and numbers: dispatches, items, failures by class, latency, workers
      #   with their busy time, what they are running and for how long, what was learnt of callables, the last Failures
      #   of each class (with the Failure and the context of its dispatch), and notes for people
      def stats
        Stats.new(for_reading).to_h
      end

      # @return [String] the statistics for Prometheus
      def to_prometheus
        Prometheus.new(stats).to_s
      end

      # Hands each {Event} of the pool to the block, in a thread of this Ractor, or puts it into the given queue. Nobody
      # waits for a subscriber: one that is too slow loses events, and the statistics count them.
      # @param queue [Queue, nil] instead of a block; for this subscription only, which closes it when it ends
      # @return [Subscription]
      # @raise [ArgumentError] without a block and a queue
      def subscribe(queue = nil, &block)
        raise ArgumentError, "subscribe needs a block or a Ratomic::Queue" unless block || queue.is_a?(Queue)

        queue ? Subscription.new(engine, queue, nil) : Subscription.start(engine, block)
      end

      # What a dispatch would do, and whether it would pay, without doing it.
      #
      # With `try:` the callable is called once, with that item, in a worker, and what came of it is `to_h[:try]`: what
      # no look at the code finds (an extension that is not marked safe, a class variable in a gem) shows there. That
      # starts the workers, and waits until the item has run, for ten seconds at most. The call is a real one, with all
      # that it does; its result is thrown away.
      #
      # @param items [Array, Enumerable] read to its end, as by a dispatch: of an IO nothing is left
      # @param results [:frozen, :owned, nil] nil takes what the pool was made with
      # @param as [String, Symbol, nil] the name under which it would be dispatched; nil takes that of the pool
      # @param try [Object] an item; copied where it is not shareable
      # @return [Explanation]
      # @raise [ShutdownError, QueueFullError] with `try:`
      def explain(items, callable, results: nil, as: nil, try: Explanation::UNTRIED)
        options = @options.with({ results: results, as: as }.compact)
        tried = TrialRun.new(self, try, callable, options.results).to_h unless Explanation::UNTRIED.equal?(try)
        Explanation.new(for_reading, items, callable, options.results, options.as, tried)
      end

      # The results of an endless source, as they come. See {Stream}.
      # @param source [Enumerable] read in a thread of its own
      # @param callable [#call]
      # @param max_in_flight [Integer] items that were read and not yet yielded, at most
      # @param key [#call, nil] of an item; items with equal keys run in order, one after another
      # @param ordered [Boolean] whether results come in the order of their items
      # @param options see {Options#initialize}
      # @return [Stream] an Enumerable
      def stream(source, callable, max_in_flight: 1000, key: nil, ordered: true, **options)
        Stream.new(self, source, callable, max_in_flight: max_in_flight, key: key, ordered: ordered, options: options)
      end

      # @return [Integer] number of workers it was made with
      def size
        @settings.size
      end

      # @return [String]
      def name
        @settings.name
      end

      # @return [:frozen, :owned] what dispatches get that do not say otherwise
      def results
        @options.results
      end

      # @return [Symbol, nil] :thread or :process, what it was made with
      def fallback
        @settings.fallback
      end

      # @return [Symbol] :ractor, :thread, :process or :inline
      def backend
        @settings.backend
      end

      def inspect
        "#<#{self.class} #{name}: #{size} #{backend} workers>"
      end

      # The engine has no workers any more, or soon will have none: the next dispatch starts anew.
      # @api private
      def drop(engine)
        @cell.delete(ENGINE) if engine.open?
        engine
      end

      private

      # @param given [Hash, nil] the options: Ruby hands keywords on as the last of the arguments
      def dispatch_block(items, given, more, block)
        unless more.nil? && (given.nil? || Hash === given)
          raise ArgumentError, "give a callable, or a block { |item| ... }, and not both"
        end

        dispatch_async(items, shared(block), given)
      end

      # Threads and processes may have blocks that Ractors may not.
      def shared(block)
        return block if %i[thread process].include?(backend)

        Blocks.share(block, "block of dispatch_async")
      rescue CallableError
        raise unless @settings.falls_back?

        block
      end

      def current
        @cell[ENGINE]
      end

      # Who is killed while he starts a pool would leave one behind that nobody knows.
      def engine
        current || Interrupts.deferred { @cell.fetch_or_store(ENGINE) { start_engine } }
      end

      def start_engine
        # Known before its coordinator waits anywhere, see ForkHook.
        engine = Backend.start(@settings) { |made| RUNNING[made.number] = [self, made].freeze }
        AtExit.remind
        engine
      end

      # No workers are started to tell that there are none.
      def for_reading
        current || UncoordinatedEngine.new(@settings)
      end

      # Of a pool that never worked.
      def unstarted
        @cell.fetch_or_store(ENGINE) { UncoordinatedEngine.new(@settings) }
      end
    end
  end
end
