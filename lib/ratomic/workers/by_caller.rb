# frozen_string_literal: true

module Ratomic
  module Workers
    # Small work is done by the caller itself, in its own thread: waking a worker would take longer.
    #
    # Only a callable that workers have run before, and that behaved, is run so. What an item may do to its thread
    # (`throw`, `exit`) becomes a Failure here as there; but `Thread.exit` would end the caller.
    module ByCaller
      # Errors from another thread (Timeout, Thread#raise) wait until the items are done, or they would be taken for an
      # item's.
      LATER = { StandardError => :never }.freeze

      # A chunk that lets through what is meant for the caller: signals, and the end of a `Timeout.timeout` block.
      class Chunk < Workers::Chunk
        private

        def fail_with(error, index)
          raise error if error.is_a?(SignalException) || error.class.name == "Timeout::ExitException"

          super
        end
      end

      class << self
        # Runs the batch, if it is small.
        # @return [Boolean] whether it did
        def run?(engine, batch)
          return false unless small?(engine, batch)

          engine.metrics.inlined.increment
          Context.with(batch.options.context) do
            Thread.handle_interrupt(LATER) do
              from = 0
              from = run_from(engine, batch, from) while from < batch.size
            end
          end
          true
        end

        private

        def small?(engine, batch)
          least = batch.options.min_batch
          return false if least.is_a?(Integer) && batch.size >= least
          return false if batch.careful? || batch.moved? || batch.options.timeout || engine.costs.wild?(batch.key)
          return false unless (cost = engine.costs.of(batch.key))

          least.is_a?(Integer) || batch.weight * cost * engine.gain < engine.costs.waking
        end

        # @return [Integer] where to go on
        def run_from(engine, batch, from)
          chunk = Chunk.new(batch, batch.target, batch.items, 0, from, batch.size, 32)
          passing = $!
          started = Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)
          chunk.run(Turn::Guard)
          took = Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond) - started
          engine.costs.learn(batch.key, chunk.weight, took)
          engine.file_chunk(chunk)
          from = batch.size
        ensure
          # By throw, break or return an item can leave past us. That ends here, as it would in a worker. What ends the
          # thread, or is an exception for the caller, goes on.
          if from < batch.size && $!.equal?(passing) && Thread.current.status != "aborting"
            return blame(engine, batch, chunk) # rubocop:disable Lint/EnsureReturn
          end
        end

        def blame(engine, batch, chunk)
          culprit = chunk.culprit
          engine.file_chunk(chunk)
          engine.costs.mark_wild(batch.key)
          engine.file(batch, culprit, [Verdict.died(batch, culprit, :throw)].freeze, true)
          culprit + 1
        end
      end
    end
  end
end
