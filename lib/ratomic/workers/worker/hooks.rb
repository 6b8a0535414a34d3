# frozen_string_literal: true

module Ratomic
  module Workers
    # What a pool does in each worker when it starts and when it ends, in the thread that runs its items. Frozen and
    # shareable.
    class Hooks
      START = "on_worker_start:"
      STOP = "on_worker_stop:"
      private_constant :START, :STOP

      # @param on_worker_start [#call, PerWorker, Array, nil]
      # @param on_worker_stop [#call, nil]
      # @raise [CallableError] when they cannot be shared
      def initialize(on_worker_start, on_worker_stop)
        @start = shared(on_worker_start, START)
        @stop = shared(on_worker_stop, STOP)
        freeze
      end

      def none?
        @start.empty? && @stop.empty?
      end

      # The thread of a worker that runs its items.
      # @param worker [Integer] its number
      # @param fresh [Boolean] whether it is the worker's first thread. A later one replaces a thread that an item has
      #   killed, or the start hook itself; so the start hook is not run again
      # @yieldreturn [Boolean] whether the worker has nothing to do any more
      # @return [Boolean] the same
      def around(engine, worker, fresh)
        NestedDispatch.enter(engine)
        WorkerLocals.begin
        @start.each { |hook| run(engine, START) { PerWorker === hook ? hook.prepare : hook.call(worker) } } if fresh
        done = yield
        @stop.each { |hook| run(engine, STOP) { hook.call(worker) } } if done
        done
      end

      private

      # An error of a hook is counted, and shown once; the worker goes on without what the hook was to do.
      # @param option [String] of the hook
      def run(engine, option)
        yield
      rescue UserException => e
        engine.metrics.trouble(e, option)
      end

      def shared(hooks, what)
        [*(Array === hooks ? hooks : [hooks].compact)].map do |hook|
          Callable.check(Blocks.share(hook, what))
        end.freeze
      end
    end
    private_constant :Hooks
  end
end
