# frozen_string_literal: true

module Ratomic
  module Workers
    # The {Engine}'s ways to end a dispatch, an item of it, or all dispatches, before they have their results.
    module Cancellation
      # Ends a batch early: each item without a result gets the failure. As results, these are counted before a caller
      # can see them. An interrupt comes afterwards: a caller who waits for room, or a closing pool, has to be told.
      # @return [Integer] items that had none
      # @yieldparam count [Integer] the same, if there were any, to count and to tell what has happened
      def stop(batch, failure)
        withdraw(batch, failure) do |count|
          note_failure(batch, failure, count)
          count_named(batch, count)
          yield count if block_given?
        end
      end

      # As {#stop}, of a dispatch whose caller got an exception in place of a future: no Failures are counted, because
      # nobody can get them.
      def withdraw(batch, failure = PoolFailures::GIVEN_UP)
        Interrupts.deferred do
          filled = batch.stop(failure) do |count|
            @finished.increment(count)
            yield count if block_given?
          end
          post([:drop, batch.ticket].freeze) if batch.moved? # a worker that asks for a parcel later sees its end
          forget(batch)
          @run_queue.leave_behind
          make_room if @run_queue.full? # a caller may wait for room
          wind_up unless open?
          filled
        end
      end

      # Cancels a dispatch.
      # @return [Integer] items that had no result
      def cancel(batch)
        cancelled = stop(batch, PoolFailures.cancelled(batch)) do |count|
          @metrics.cancelled.increment
          emit(:cancelled, batch, items: count)
        end
        # An item that is running is left alone, so its worker sends the results that it has so far.
        post([:recall, batch.ticket].freeze) if batch.owned? && cancelled.positive?
        cancelled
      end

      # Ends the items of a stopped batch that are running.
      def interrupt(batch)
        batch.completion.interrupt # for those that run in a {SupervisedRun}
        post([:interrupt, batch.ticket].freeze)
      end

      # Has the coordinator enforce the `timeout:` and the `item_timeout:` of a batch, if it has them.
      def enforce_deadlines(batch)
        options = batch.options
        post([:deadline, batch, batch.expiry, :expire].freeze) if options.timeout
        post([:deadline, batch, Clock.now + options.item_timeout, :watch].freeze) if options.item_timeout
      end

      # Ends a dispatch whose `timeout:` is over.
      def expire(batch)
        stop(batch, PoolFailures.expired(batch)) do |count|
          @metrics.expired.increment
          emit(:expired, batch, items: count)
        end
      end

      # Ends an item whose `item_timeout:` is over.
      def time_out(batch, index)
        @metrics.overdue.increment
        emit(:overdue, batch, item: index)
        file(batch, index, [PoolFailures.overdue(batch, index)].freeze, true)
      end

      # Stops everything.
      def kill
        Interrupts.deferred do # as in {Engine#shut_down}
          @lifecycle.close(Lifecycle::CLOSED)
          @run_queue.close
          stop_all(PoolFailures::KILLED)
          post([:kill].freeze)
          @fallback&.engine&.kill
        end
      end

      private

      # Stops the batches in the run queue and those that are being run.
      def stop_all(failure)
        while (batch = @run_queue.try_pop)
          stop(batch, failure)
        end
        @board.values.each do |running|
          stop(running, failure)
          running.completion.interrupt if running.stopped? # (not those that were complete before)
        end
      end
    end
  end
end
