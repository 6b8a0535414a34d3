# frozen_string_literal: true

module Ratomic
  module Workers
    # The hooks that a pool calls when a worker starts and when it ends, in the thread that runs its items. A worker
    # process calls them itself, see {Processes::Server}. Frozen and shareable.
    class Hooks
      START = "on_worker_start:"
      STOP = "on_worker_stop:"
      private_constant :START, :STOP

      # @param on_worker_start [#call, PerWorker, Array, nil]
      # @param on_worker_stop [#call, nil]
      # @raise [CallableError] if the hooks cannot be shared
      def initialize(on_worker_start, on_worker_stop)
        @start = shared(on_worker_start, START)
        @stop = shared(on_worker_stop, STOP)
        freeze
      end

      def any?
        !@start.empty? || !@stop.empty?
      end

      # Whether there is a hook for the end of a worker.
      def any_at_stop?
        !@stop.empty?
      end

      # Runs the block, the work of a worker's thread, between the hooks.
      # @param worker [Integer] its number
      # @param fresh [Boolean] whether it is the worker's first thread. A later one replaces a thread that an item has
      #   killed, or the start hook itself; so the start hook is not run again
      # @param ending [Boolean] whether the stop hooks are to be called; not where one of them has ended the thread
      # @yieldreturn [Boolean] whether the worker has nothing to do any more
      # @return [Boolean] the same
      def around(engine, worker, fresh, ending)
        NestedDispatch.enter(engine)
        WorkerLocals.begin
        return yield unless engine.backend.hooks_here?

        start(worker) { |error| engine.metrics.trouble(error, START) } if fresh
        done = yield
        stop(worker) { |error| engine.metrics.trouble(error, STOP) } if done && ending && !engine.killed?
        done
      end

      # Calls the start hooks, in the thread that runs the items.
      # @param worker [Integer] its number
      # @yieldparam error [Exception] raised by a hook; the worker works all the same
      # @return [void]
      def start(worker, &trouble)
        @start.each { |hook| run(trouble) { PerWorker === hook ? hook.prepare : hook.call(worker) } }
      end

      # Calls the stop hooks, in the same thread.
      # @see #start
      def stop(worker, &trouble)
        @stop.each { |hook| run(trouble) { hook.call(worker) } }
      end

      private

      # An error of a hook is reported, and the worker goes on.
      def run(trouble)
        yield
      rescue UserException => e
        trouble.call(e)
      end

      def shared(hooks, what)
        hooks = [hooks].compact unless Array === hooks
        hooks.map { |hook| Callable.check(Blocks.share(hook, what), what, "number") }.freeze
      end
    end
    private_constant :Hooks
  end
end
