# frozen_string_literal: true

require_relative "dispatch/grouped"
require_relative "failing"

module Ratomic
  module Workers
    # The results of a dispatch, now or later. A future is frozen, and shareable if the callable is: any thread can wait
    # for it, and it can be sent to another Ractor. Only references to the future keep the results alive.
    #
    # {#value}, {#value!}, {#wait}, {#each} and {#each_completed} block. The other threads of the Ractor (and the Fibers
    # of a scheduler) run meanwhile. `Thread#kill`, `Timeout` and signals end the wait, but not the dispatch: its items
    # are still run, and later dispatches wait for a worker. (If the waiting thread runs the items itself, see
    # {Deferral}, the item that runs then ends too, and is a Failure.) To end the dispatch as well, cancel it in an
    # `ensure` (`future&.cancel` does nothing if all is done), or use the option `cancel_on_abandon: true`, see
    # {Options#initialize}. If an item waits for the future, a {HelperThread} runs meanwhile the items that no worker
    # has begun, see {NestedDispatch}.
    class Future
      include Grouped
      include Failing

      # @api private
      def initialize(engine, batch)
        @engine = engine
        @batch = batch
        @completion = batch.completion
        freeze
      end

      # An item that was dropped ({DROPPED}) is left out. A Failure is not: it stands where the result would be among
      # the others, and its `index` is that of the item.
      # @param timeout [Numeric, nil] seconds; nil waits for ever, 0 does not wait
      # @return [Array] frozen: the result of each item in the order of the items, a {Failure} where there is none
      # @raise [WaitTimeoutError] with the counts; call it again later
      def value(timeout: nil)
        results = results(timeout)
        @batch.stopped? ? all_named(results) : results
      end

      # As {#value}, but raises the first Failure.
      # @return [Array] frozen, without Failures
      # @raise [ItemError, ItemTimeoutError, DispatchTimeoutError, CancelledError, ShutdownError, WaitTimeoutError]
      def value!(timeout: nil)
        results = results(timeout)
        return results unless (place = results.index { |result| Failure === result })

        raise named(results[place], indices(timeout: 0)[place]).to_error
      end

      # The indices of the items that have a result: `value[n]` is the result of the item `indices[n]`. If no item was
      # dropped, these are the indices of all items.
      # @param timeout [Numeric, nil] as for {#value}
      # @return [Array<Integer>] frozen
      # @raise [WaitTimeoutError]
      def indices(timeout: nil)
        await_all(timeout)
        @completion.indices
      end

      # @return [Integer] items that were dropped so far
      def dropped
        @completion.dropped
      end

      # @param timeout [Numeric, nil] seconds
      # @return [Boolean] whether all results are there
      def wait(timeout: nil)
        attend(timeout, breaks: false) { @batch.timed? ? await_timed(timeout) : await(timeout) }
      end

      # @return [Boolean] whether {#value} would not wait
      def ready?
        @completion.complete?
      end

      # Yields each result in the order of the items, as soon as it and those before it are there. (The `size` of the
      # Enumerator counts all items but those that were dropped so far.)
      # @param timeout [Numeric, nil] seconds for all of them
      # @yieldparam result [Object, Failure]
      # @return [self, Enumerator] an Enumerator without a block
      # @raise [WaitTimeoutError]
      def each(timeout: nil)
        return enum_for(:each, timeout: timeout) { kept } unless block_given?

        limit = Clock.limit(timeout)
        attend(timeout) do
          size.times do |index|
            await_slot(index, limit, timeout)
            result = @completion[index]
            yield named(result, index) unless Vacancy === result
          end
        end
        self
      end

      # Yields each result as it comes. As for {#each}, nothing for an item that was dropped.
      # @param timeout [Numeric, nil] seconds for all of them
      # @yieldparam result [Object, Failure]
      # @yieldparam index [Integer] of its item
      # @return [self, Enumerator] an Enumerator without a block
      # @raise [WaitTimeoutError]
      def each_completed(timeout: nil)
        return enum_for(:each_completed, timeout: timeout) { kept } unless block_given?

        limit = Clock.limit(timeout)
        attend(timeout) do
          each_range(limit, timeout) do |first, count|
            first.upto(first + count - 1) do |index|
              result = @completion[index]
              yield named(result, index), index unless Vacancy === result
            end
          end
        end
        self
      end

      # Ends the dispatch early. What is queued never runs; an item that is running is left alone, or interrupted
      # (killed, with its `ensure` blocks run) with `interrupt: true`. Items without a result get a Failure, waiters
      # wake.
      # @return [Boolean] whether there was anything left to cancel
      def cancel(interrupt: false)
        cancelled = !ready? && @engine.cancel(@batch).positive?
        @engine.interrupt(@batch) if interrupt && cancelled
        cancelled
      end

      # @return [Boolean] whether it was stopped before it was done: by {#cancel}, its `timeout:` or the end of its pool
      def cancelled?
        @batch.stopped?
      end

      # @return [Progress] counts of items; one that was dropped is done
      def progress
        Progress.new(@completion.completed, size)
      end

      # Counts Failures while they come in.
      # @api private
      # @param ranges [Integer] that were looked at before
      # @return [Array(Integer, Integer)] ranges that were filed by now, and the Failures in those that are new
      def failures_since(ranges)
        filed = @completion.filed
        failed = (ranges...filed).sum do |number|
          first, count = @completion.range(number)
          (first...first + count).count { |index| Failure === @completion[index] }
        end
        [filed, failed]
      end

      # @return [Integer] number of items, the dropped ones as well
      def size
        @completion.size
      end

      def inspect
        "#<#{self.class} #{progress}>"
      end

      private

      # @return [Array] in which a Failure that was filed for many items has no index
      def results(timeout)
        await_all(timeout)
        @completion.kept
      end

      def await_all(timeout)
        raise_timeout(timeout) unless wait(timeout: timeout)
      end

      # @return [Integer]
      def kept
        size - @completion.vacant
      end

      # In one pass, and natively if possible: there may be millions of results.
      def all_named(results, indices = @completion.indices)
        results = Array.new(results.size) { |place| named(results[place], indices[place]) }
        Ractor.make_shareable(results) # many objects that are new: the VM looks at all of them in one walk
      end

      # A Failure that was filed for many items at once has no index; here each gets its own.
      def named(result, index)
        Failure === result && result.index.nil? ? result.at(index) : result
      end

      # The block waits; if the thread is ended in it, the dispatch may be abandoned.
      def attend(timeout, breaks: true, &waiting)
        if @batch.deferred?
          WaiterRuns.run_deferred(self, @engine, @batch, timeout.nil? && !breaks)
        elsif @batch.options.by_waiter? && timeout != 0
          WaiterRuns.run(self, @engine, @batch)
        end
        (waiter_count = @batch.waiter_count) ? waiter_count.during(self, breaks, &waiting) : yield
      end

      def await_timed(timeout)
        started = Clock.nanoseconds
        done = await(timeout)
        waited = Clock.nanoseconds - started
        @batch.chooser(@engine.costs).learn_pool(@batch.key, waited, @batch.units) if done
        done
      end

      def await(timeout)
        return @completion.wait(timeout) if NestedDispatch.number.nil? || ready?

        Clock.check(timeout)
        helped { NestedDispatch.wait(@engine, timeout) { |seconds| @completion.wait(seconds) } }
      end

      # Runs the block, which waits. In an item a {HelperThread} runs unclaimed items of the dispatch meanwhile.
      def helped(&waiting)
        @batch.moved? || !NestedDispatch.in?(@engine) ? yield : HelperThread.help(@engine, @batch, &waiting)
      end

      def await_slot(index, limit, timeout)
        until @completion.filled?(index)
          filed = @completion.filed
          await_filed(filed + 1, limit, timeout) unless @completion.filled?(index)
        end
      end

      # Yields the ranges of slots as they are filed.
      def each_range(limit, timeout)
        seen = 0
        ranges = 0
        while seen < size
          await_filed(ranges + 1, limit, timeout)
          first, count = @completion.range(ranges)
          yield first, count
          seen += count
          ranges += 1
        end
      end

      def await_filed(ranges, limit, timeout)
        return if @completion.filed >= ranges

        found = helped do
          NestedDispatch.wait(@engine, Clock.left(limit)) { |seconds| @completion.wait_filed(ranges, seconds) }
        end
        raise_timeout(timeout) unless found
      end

      def raise_timeout(seconds)
        completed = @completion.completed
        message = "#{completed} of #{size} items are done after #{seconds} s; the future is still good"
        raise WaitTimeoutError.new(message, completed: completed, total: size)
      end
    end
  end
end
