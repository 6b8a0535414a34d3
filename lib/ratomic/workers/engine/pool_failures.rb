# frozen_string_literal: true

require_relative "../failure"

module Ratomic
  module Workers
    # Makes the Failures of items that did not raise: they ended their worker, ran too long, or never ran.
    module PoolFailures
      DIED = {
        thread: "the item ended the thread that ran it (Thread.exit or Thread#kill)",
        worker: "the item ended its worker: it killed or interrupted the main thread of the worker's Ractor",
        waiter: "the thread that waited for the dispatch was ended while it ran the item (with min_batch: 0 workers " \
                "run all items)",
        throw: "the item left by throw, break or return",
        lost: "the item was handed over to a worker (move: true) that died or was given up, and is gone with it"
      }.freeze
      LOST = Failure.new(nil, ShutdownError.name,
                         "the item's result (results: :owned) is gone: its worker died, or could not end")
      KILLED = Failure.new(nil, ShutdownError.name, "the pool was stopped before the item was done")
      FORKED = Failure.new(nil, ShutdownError.name,
                           "the process was forked; the workers and their work stayed in the parent")
      GIVEN_UP = Failure.new(nil, CancelledError.name, "the dispatch was refused or interrupted")

      class << self
        # @param how [Symbol, String] a key of DIED, or a text that says how the worker's process has ended
        # @return [Failure] with one line of backtrace: the place of the callable in the source
        def died(callable, index, how)
          return Failure.new(index, WorkerDiedError.name, how, backtrace(callable)) if String === how

          Failure.new(index, how == :throw ? "UncaughtThrowError" : "ThreadError", DIED.fetch(how), backtrace(callable))
        end

        # A Failure for an owned result that cannot be copied. A thread that stands in for a worker has to send copies,
        # because it does not end with its results.
        def not_copied(result, index)
          kind = Reflection.class_of(result)
          Failure.new(index, ShareableError.name,
                      "the result (#{kind}) cannot be copied, and was made by a thread that stands in for a worker, " \
                      "see Workers::HelperThread; wait for such dispatches outside of items, or return plain data")
        end

        def overdue(batch, index)
          limit = batch.options.item_timeout
          Failure.new(index, ItemTimeoutError.name, "the item ran longer than #{limit} s (item_timeout: #{limit})",
                      backtrace(batch.target))
        end

        def expired(batch)
          Failure.new(nil, DispatchTimeoutError.name, "no result #{batch.options.timeout} s after the dispatch " \
                                                      "(timeout:), when #{progress(batch)} were done")
        end

        def cancelled(batch)
          Failure.new(nil, CancelledError.name, "the dispatch was cancelled when #{progress(batch)} were done")
        end

        private

        def backtrace(callable)
          [Callable.location(callable)].compact
        end

        def progress(batch)
          Progress.new(batch.completion.completed, batch.size)
        end
      end
    end
  end
end
