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
      ENGINE = :engine
      private_constant :ENGINE

      # @param size [Integer, nil] workers; nil takes the number of processors. Ruby 4.0 runs Ractors on eight native
      #   threads at most; the environment variable RUBY_MAX_CPU allows more
      # @param name [String, nil]
      # @param backend [:ractor, :thread, :inline, nil] nil takes `:ractor`, or `:thread` on Rubies without Ractors
      # @param max_queue [Integer] dispatches that nobody has begun, at most
      # @param options what dispatches get that do not say otherwise, see {Options#initialize}
      def initialize(size: nil, name: nil, backend: nil, max_queue: nil, **options)
        @settings = Settings.new(size: size, name: name, backend: backend, max_queue: max_queue)
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
      # @overload dispatch_async(items, callable, **options)
      #   @param items [Array, Enumerable]
      #   @param callable [#call] a shareable object, a module or class, or a shareable proc
      #   @param options see {Options#initialize}
      #   @return [Future]
      #   @raise [CallableError] with the path of what is in the way
      #   @raise [ShutdownError, QueueFullError]
      def dispatch_async(items, callable, options = nil)
        # Not `**options`: that makes a Hash at each call, also of nothing.
        chosen = options.nil? ? @options : @options.with(options)
        Dispatch.future(engine, items, callable, chosen)
      end

      # Starts the workers now instead of with the first dispatch. Returns before they are up.
      # @return [self]
      def start
        engine
        self
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
        return engine.terminated.wait(0) if Nested.within?(engine)

        Nested.wait(engine, timeout) { |seconds| engine.terminated.wait(seconds) }
      end

      # Ends the pool now. What has no result yet becomes a Failure; items that run are interrupted.
      # @return [self]
      def kill
        engine = current || unstarted
        engine.kill
        engine.terminated.wait(Coordinator::PATIENCE * 2)
        self
      end

      # @return [Boolean] whether dispatches are refused
      def shutdown?
        (engine = current) ? !engine.open? : false
      end

      # @return [Hash] frozen, of Strings, Symbols and numbers: dispatches, items, failures by class, latency, workers
      #   with their busy time, what was learnt of callables, and notes for people
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
      # @param items [Array, Enumerable] read to its end, as by a dispatch: of an IO nothing is left
      # @param results [:frozen, :owned, nil] nil takes what the pool was made with
      # @return [Explanation]
      def explain(items, callable, results: nil)
        options = results.nil? ? @options : @options.with(results: results)
        Explanation.new(for_reading, items, callable, options.results)
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

      # @return [Symbol] :ractor, :thread or :inline
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
        current || Unattended.new(@settings)
      end

      # Of a pool that never worked.
      def unstarted
        @cell.fetch_or_store(ENGINE) { Unattended.new(@settings) }
      end
    end
  end
end
