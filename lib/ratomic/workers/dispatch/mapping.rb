# frozen_string_literal: true

module Ratomic
  module Workers
    # A dispatch that its caller waits for, see {Pool#map}.
    class Mapping
      # Seconds between two looks at the progress.
      PROGRESS_INTERVAL_S = 0.1

      # What `progress:` may be.
      # @return [#call, nil]
      # @raise [TypeError]
      def self.listener(progress)
        case progress
        when nil, false then nil
        when true, String then ProgressBar.new(progress == true ? nil : progress) unless ProgressBar.in_tests?
        else
          return progress if progress.respond_to?(:call)

          raise TypeError, "progress: must be true, a title or an object with `call(progress)`, " \
                           "not #{Reflection.class_name_of(progress)}"
        end
      end

      # @param pool [Pool]
      # @param progress [Boolean, String, #call, nil]
      # @param block [Proc, nil] in the place of the callable
      def initialize(pool, items, callable, progress, options, block)
        @pool = pool
        @items = items
        @callable = callable
        @listener = self.class.listener(progress)
        @options = options
        @block = block
        @ranges = @failures = 0
      end

      # @return [Array] results: frozen, unless the pool's are owned
      # @raise as {Future#value!}
      def run
        @started = Clock.now
        future = dispatch
        @listener ? follow(future) : future.wait
        done = true
        future.value!
      ensure
        cancel(future) if future && !done
      end

      private

      # @return [Future]
      def dispatch
        return @pool.dispatch_async(@items, @options, &@block) if @block && @callable.nil?

        @pool.dispatch_async(@items, @callable, @options, &@block)
      end

      def follow(future)
        shown = nil
        until future.wait(timeout: PROGRESS_INTERVAL_S)
          progress = progress(future)
          @listener.call(progress) unless progress == shown && !(ProgressBar === @listener)
          shown = progress
        end
        @listener.call(progress(future))
      end

      # The wait was ended (Ctrl-C, a `Timeout`, an error of the listener), so the rest of the dispatch is cancelled.
      def cancel(future)
        progress = progress(future) if @listener
        future.cancel(interrupt: true)
        @listener.stop(progress) if progress && @listener.respond_to?(:stop)
      end

      # @return [Progress]
      def progress(future)
        @ranges, failed = future.failures_since(@ranges)
        @failures += failed
        progress = future.progress
        Progress.new(*progress.to_a, failures: @failures, seconds: Clock.now - @started)
      end
    end
  end
end
