# frozen_string_literal: true

module Ratomic
  module Workers # :nodoc:
    # The default pool, for all Ractors of the process.
    DEFAULT = Map.new
    private_constant :DEFAULT

    class << self
      # Runs the callable with each of the items in the default pool, see {Pool#dispatch_async}.
      # @overload dispatch_async(items, callable, **options)
      #   @return [Future]
      def dispatch_async(items, callable, options = nil)
        pool.dispatch_async(items, callable, options)
      end

      # @return [Stream] see {Pool#stream}
      def stream(source, callable, **options)
        pool.stream(source, callable, **options)
      end

      # @return [Explanation] see {Pool#explain}
      def explain(items, callable)
        pool.explain(items, callable)
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
        before ? before.shutdown(timeout: timeout) : Future::DONE.wait(timeout)
      end

      # The `context:` of the dispatch whose item is running in this thread.
      # @return [Object, nil]
      def context
        Context.current
      end
    end
  end
end
