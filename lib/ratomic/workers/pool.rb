# frozen_string_literal: true

require_relative "../uncopyable"

module Ratomic
  module Workers
    # A pool of workers.
    #
    #   pool = Ratomic::Workers::Pool.new(size: 4, name: "parsers")
    #   pool.dispatch_async(payloads, ParseEvent).value(timeout: 5)
    #   pool.shutdown
    #
    # A Pool is frozen and shareable: it may be a constant, and any Ractor may dispatch to it. Its workers start with
    # the first dispatch, or with {#start}, and run until {#shutdown} or {#kill}, even if nothing refers to the pool any
    # more. In a forked child the pool starts again. Worker threads have priority -3: with the `:thread` backend they
    # get less processor time than other threads of the program that compute.
    class Pool
      include Uncopyable

      # The pools of this process that have workers: number of the engine => [pool, engine].
      RUNNING = Map.new
      # Failures that a reduction keeps by default.
      MAX_FAILURES = 100
      ENGINE = :engine
      STREAM_USAGE = "stream takes a callable and no block: stream(source, callable).each { |result| ... }"
      private_constant :ENGINE, :STREAM_USAGE

      # @api private
      # @return [Array<Array(Integer, Pool, Engine)>] those of this process that have workers, by their number
      def self.running
        RUNNING.to_h.sort.filter_map { |number, (pool, engine)| [number, pool, engine] unless engine.beside? }
      end

      # @param size [Integer, nil] workers; nil takes the number of processors. Ruby 4.0 runs Ractors on eight native
      #   threads at most; the environment variable RUBY_MAX_CPU allows more
      # @param name [String, Symbol, nil]
      # @param backend [:ractor, :thread, :process, :inline, nil] nil takes `:ractor`, or `:thread` on Rubies without
      #   Ractors. `:process` runs items in forked processes: in parallel on every Ruby, whatever they do, and an item
      #   can be ended wherever it is. See the guide docs/guides/processes.md
      # @param max_queue [Integer] how many dispatches may wait for their first worker
      # @param fallback [:thread, :process, nil] runs again what fails because it ran in a Ractor: an item that raises
      #   `Ractor::IsolationError` or `Ractor::UnsafeError`, also as the cause of another exception, and a callable or
      #   block that cannot be shared. Results and Failures are then those of a pool with that backend, in the same
      #   future. Such a callable is remembered: its next dispatches go there at once. What an item has done before it
      #   failed is done twice. See the guide docs/guides/ractors.md. For workers that are no Ractors it changes nothing
      # @param recycle_after [Integer, Hash, nil] items, or `{ items:, megabytes: }` (either may be missing), after
      #   which a worker process is replaced; megabytes are those that it shares with no other process (Linux),
      #   checked once a second; with `backend: :process` only
      # @param on_worker_start [#call, PerWorker, Array, nil] called with the number of a worker when it starts, before
      #   its first item, in the thread that runs its items; of a PerWorker the object is made. Shareable, or a block of
      #   constants (`proc { |number| ... }`). What it raises is counted with the `troubles` of the
      #   statistics, and the first error of each class is shown with `warn`. A worker process calls it itself, and so
      #   does each that replaces it
      # @param on_worker_stop [#call, Array, nil] the same when a worker ends: after {#shutdown}, when a worker ends to
      #   hand over owned results, and when a worker process is replaced in order. Not when it is killed or has died.
      #   {#shutdown} waits for it. With the `:inline` backend there are no workers, and no hooks
      # @param options the default options of its dispatches, see {Options#initialize}
      def initialize(size: nil, name: nil, backend: nil, max_queue: nil, fallback: nil, **options)
        Arguments.no_block(block_given?, "Workers::Pool.new", "Ratomic::Pool lends objects that a block makes")
        hooks = Hooks.new(options.delete(:on_worker_start), options.delete(:on_worker_stop))
        @settings = Settings.new(size: size, name: name, backend: backend, max_queue: max_queue, fallback: fallback,
                                 recycle_after: options.delete(:recycle_after), hooks: hooks)
        @options = Options.new(options)
        @cell = Map.new
        freeze
      end

      # Runs the callable with each of the items, in the workers.
      #
      # Shareable items are shared with the workers. Of any other item the workers get a frozen copy; with `move: true`
      # it is moved.
      #
      # Returns at once, with four exceptions. The caller runs small work itself (`min_batch:`). It waits, or runs the
      # items, when the queue is full (`max_queue:` with `on_full: :block` or `:caller_runs`). With the `:inline`
      # backend it runs all items. And inside an item of the pool a dispatch is run at once if it has `move: true`, or
      # if the queue is full (with `on_full: :raise` that raises).
      #
      # A block is made into a shareable proc. It may use its arguments, constants, and variables that are frozen and
      # assigned once. Its self is that of the code around it, if that is shareable (a module), else nil; a block that
      # uses an instance variable or a method of a self that is not shareable is refused. Each call makes a new proc,
      # and the pool learns the cost of each callable object by itself: for work that is dispatched often, keep one
      # callable, or name it with `as:`.
      #
      # @overload dispatch_async(items, callable, **options)
      #   @param items [Array, Enumerable]
      #   @param callable [#call] a shareable object, a module or class, or a shareable proc
      #   @param options see {Options#initialize}
      #   @return [Future]
      #   @raise [CallableError] with the path of the object that is not shareable
      #   @raise [ShutdownError, QueueFullError]
      # @overload dispatch_async(items, **options) { |item| ... }
      #   @return [Future]
      #   @raise [CallableError] which names what the block uses that cannot be shared
      #   @raise [ShutdownError, QueueFullError]
      def dispatch_async(items, callable = nil, options = nil, &block)
        return dispatch_block(items, callable, options, block) if block_given? # cheaper than to look at `block`

        # Not `**options`: that makes a Hash at each call, also of nothing.
        chosen = options.nil? ? @options : @options.with(options)
        Dispatch.future(engine, items, callable, chosen)
      end

      # Runs the callable with each of the items, and waits for all of them. For scripts. If the wait is ended by Ctrl-C
      # or a `Timeout`, the dispatch is cancelled, and its running items are interrupted.
      # @param items [Array, Enumerable]
      # @param callable [#call] or a block, as for {#dispatch_async}
      # @param progress [Boolean, String, #call, nil] true or a title draw a {ProgressBar} on standard error; an object
      #   is called with the {Progress} now and then, and when all is done, in the thread that waits. If it has a `stop`
      #   that is called with the {Progress} when the work is ended early
      # @param options see {Options#initialize}
      # @return [Array] results: frozen, unless the pool's are owned
      # @raise the first Failure, as {Future#value!}; and as {#dispatch_async}
      def map(items, callable = nil, progress: nil, **options, &block)
        Mapping.new(self, items, callable, progress, options, block).run
      end

      # Runs the callable with each of the items, and folds the results in the workers. The caller gets one partial sum
      # for each chunk that a worker ran, and merges them in the order of the items.
      #
      #   pool.reduce(payloads, TotalOf, initial: 0) { |sum, total| sum + total }.sum
      #   pool.reduce(payloads, ParseOrder, initial: 0, merge: :+.to_proc) { |sum, order| sum + order["total"] }.sum
      #   pool.reduce(rows, CountRows)    # which has call, initial and merge
      #
      # The fold is given by a block and `initial:`, or by the callable itself.
      #
      # - A block `{ |sum, result| ... }` returns the new sum. It runs in the workers. If these are Ractors, it may use
      #   only its arguments, constants, and variables that are frozen and assigned once; its self is as in
      #   {#dispatch_async}. Two partial sums are merged by `merge:`. Without it the block merges them, and gets a sum
      #   where else it gets a result. So without `merge:` sums must be of the same kind as results; otherwise the block
      #   raises, or the sum is wrong.
      # - A callable with `initial` and `merge(sum, other)`. `merge` adds a result to a sum as well, unless the callable
      #   has `add(sum, result)`. (The items of one with `call_many` are passed in runs, see {Runs}.)
      #
      # The items are cut into chunks in any way. So the merge has to be associative, and `initial` has to be neutral (0
      # for a sum, {} for counts): each chunk begins with it, and so does the merge of the partial sums. The merge need
      # not be commutative.
      #
      # `initial:` is any object. One that is not frozen is copied for each chunk, and the copy is not frozen at its
      # first level. One with `call` (`-> { Hash.new { ... } }`) is called for each chunk. So the block may change the
      # sum in place. A partial sum is made shareable before the caller gets it; so the merge may change its first
      # argument, but the second one is frozen. If a partial sum cannot be made shareable, its items have failed. If the
      # block raises, the item has a Failure, and the changes that the block has made to the sum stay.
      #
      # Waits for the end, as {Future#value} does; if the wait is ended by an exception or a kill, the dispatch is
      # cancelled.
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

      # As {#reduce}, but returns a future, as {#dispatch_async} does.
      # @return [Reducing]
      def reduce_async(items, callable, options = nil, &block)
        # Partial sums are small, and merged by the caller.
        options = { **Options.keywords(options || {}), results: :frozen }
        around = @options.with(options.slice(:around)).around
        reduce = Reduce.new(@settings, Around.wrap_summing(callable, around), options, block)
        fold = reduce.fold
        Reducing.new(dispatch_async(items, fold, options), fold, reduce.max_failures)
      end

      # Starts the workers now instead of with the first dispatch. Returns before they are up. But worker processes are
      # forked by the calling thread, before it returns. So they do not inherit connections that the program opens, nor
      # threads that it starts, after this call. Before the forks garbage is collected three times, so that the workers
      # share the memory of what the program has loaded for longer.
      # @return [self]
      def start
        @settings.kind.prepare(@settings) if current.nil?
        engine
        self
      end

      # @return [Boolean] whether there are workers: since {#start} or the first dispatch, until a {#shutdown} or
      #   {#kill} has ended the last one. In a forked child not before its own start
      def started?
        engine = current
        !(engine.nil? || UncoordinatedEngine === engine || engine.ended?)
      end

      # Accepts no more dispatches, and waits until all accepted ones are done and the workers have ended. Does not wait
      # in an item of the pool itself, which would wait for its own end.
      # @param timeout [Numeric, nil] seconds
      # @return [Boolean] false when the time was up. The pool still ends by itself; {#kill} ends it at once.
      def shutdown(timeout: nil)
        Clock.check(timeout)
        engine = current || unstarted
        engine.shut_down
        return engine.terminated.wait(0) if NestedDispatch.within?(engine)

        NestedDispatch.wait(engine, timeout) { |seconds| engine.terminated.wait(seconds) }
      end

      # Ends the pool now. Items that run are interrupted, and each item without a result gets a Failure.
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
      # @raise [ArgumentError] without a block and a queue, or with both
      # @raise [TypeError] when the queue is no {Ratomic::Queue}
      def subscribe(queue = nil, &block)
        raise ArgumentError, "subscribe needs a block or a Ratomic::Queue, and not both" unless queue.nil? ^ block.nil?
        unless block || Queue === queue
          raise TypeError, "subscribe takes a Ratomic::Queue, not #{Reflection.class_of(queue)}"
        end

        Subscription.start(engine, queue, block)
      end

      # Explains what a dispatch would do, and whether the pool would be faster than the caller, without dispatching.
      #
      # With `try:` the callable is called once, with that item, in a worker; the outcome is `to_h[:try]`. This finds
      # problems that the code does not show, such as an extension that is not marked as safe for Ractors, or a class
      # variable in a gem. It starts the workers, and waits for the item for ten seconds at most. The call has all its
      # effects; its result is dropped.
      #
      # @param items [Array, Enumerable] read to its end, as by a dispatch: of an IO nothing is left
      # @param results [:frozen, :owned, nil] nil takes what the pool was made with
      # @param as [String, Symbol, nil] the name under which it would be dispatched; nil takes that of the pool
      # @param try [Object] an item; copied where it is not shareable
      # @return [Explanation]
      # @raise [ArgumentError] without the callable, and with a block: it explains the callable that is dispatched
      # @raise [ShutdownError, QueueFullError] with `try:`
      def explain(items, callable = nil, results: nil, as: nil, try: Explanation::UNTRIED)
        Arguments.no_block(block_given?, "explain", "give it the callable that you dispatch: explain(items, callable)")
        raise ArgumentError, "explain needs a callable: explain(items, callable)" if NilClass === callable

        options = @options.with({ results: results, as: as }.compact)
        tried = TrialRun.new(self, try, callable, options.results).to_h unless Explanation::UNTRIED.equal?(try)
        Explanation.new(for_reading, items, callable, options.results, options.as, tried)
      end

      # The results of an endless source, as they come. See {Stream}.
      # @param source [Enumerable] read in a thread of its own
      # @param callable [#call]
      # @param max_in_flight [Integer, :auto] items that were read and not yet yielded, at most. `:auto` is 1000; and
      #   without a key, where the first items are Strings of more than 600 bytes, as many as have 600 kB together, but
      #   at least 64 for each worker
      # @param key [#call, nil] of an item; items with equal keys run in order, one after another
      # @param ordered [Boolean] whether results come in the order of their items
      # @param options see {Options#initialize}
      # @return [Stream] an Enumerable
      # @raise [ArgumentError] without a callable, and with a block: that belongs to `each` of the stream
      def stream(source, callable = nil, max_in_flight: :auto, key: nil, ordered: true, **options)
        raise ArgumentError, STREAM_USAGE if NilClass === callable || block_given?

        least = @options.min_batch == :auto ? :auto : 0 # a stream decides by itself how large its groups are
        options = @options.with({ min_batch: least }.merge(options, { sequential: true }))
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

      # @return [:frozen, :owned] the default of `results:` in a dispatch
      def results
        @options.results
      end

      # @return [Symbol, nil] :thread or :process, as given to {#initialize}
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

      # The engine has no workers any more, or soon will have none: the next dispatch starts another one.
      # @api private
      def drop(engine)
        @cell.delete(ENGINE) if engine.open?
        engine
      end

      # Raises what a dispatch of the callable would raise.
      # @api private
      def check_dispatch(callable, options)
        Dispatch.check(engine, callable, options)
      end

      # Whether this number of such items is too little work for the threads of a {Stream}.
      # @api private
      def quick?(items, callable, options, count)
        return false unless engine.subscribers.none? && engine.for_caller?

        small = engine.costs.small(Callable.key(callable, options.as))
        !small.nil? && WorkEstimate.of(items) * count <= small * Stream::SMALL_WINDOW_FACTOR * items.size
      end

      private

      # @param given [Hash, nil] the options: Ruby hands keywords on as the last of the arguments
      def dispatch_block(items, given, more, block)
        unless more.nil? && (given.nil? || Hash === given)
          raise ArgumentError, "give a callable, or a block { |item| ... }, and not both"
        end

        dispatch_async(items, shared(block), given)
      end

      def shared(block)
        @settings.share(block, "block")
      end

      def current
        @cell[ENGINE]
      end

      # Interrupts are deferred: a thread that is killed here could leave workers that nothing refers to.
      def engine
        current || Interrupts.deferred { @cell.fetch_or_store(ENGINE) { start_engine } }
      end

      def start_engine
        number = nil
        # Known before its coordinator waits anywhere, see ForkHook.
        engine = Backend.start(@settings) { |made| RUNNING[number = made.number] = [self, made].freeze }
        AtExit.remind
        started = engine
      ensure # without a thread for its coordinator it would never end
        RUNNING.delete(number) if number && !started
      end

      # An engine for statistics and shutdown of a pool without workers; it starts none.
      def for_reading
        current || UncoordinatedEngine.new(@settings)
      end

      # The engine of a pool that ends before it has started.
      def unstarted
        @cell.fetch_or_store(ENGINE) { UncoordinatedEngine.new(@settings) }
      end
    end
  end
end
