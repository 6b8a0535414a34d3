# frozen_string_literal: true

module Ratomic
  module Workers
    # Runs a dispatch without workers, before `dispatch_async` returns. The items run in a thread of their own, so that
    # an item which ends its thread becomes a Failure here too. For tests and debugging, and for a caller that finds the
    # queue full (`on_full: :caller_runs`).
    module Inline
      class << self
        # Runs the batch to its end.
        # @param items [Array] of the caller; if the batch is moved, the caller hands them over
        # @raise [TrapError] in a signal handler, if the items have a time limit
        def run(engine, batch, items)
          engine.show(-batch.ticket, batch) do
            Trap.explain { batch.moved? ? run_moved(engine, batch, items) : run_all(engine, batch) }
          end
        end

        private

        def run_all(engine, batch)
          parts = [batch]
          while (part = parts.shift)
            parts.concat(run_part(engine, part)) unless batch.completion.complete?
          end
        end

        # Runs moved items one by one. If an item ends its thread, no other item is lost with it.
        def run_moved(engine, batch, items)
          MoveBuffer.take_over(items).each_with_index do |item, index|
            break if batch.completion.complete?

            SupervisedRun.new(engine, batch.kind.new(batch, batch.target, index, index + 1, 1).unpack([item])).run
          end
        end

        # @return [Array<Batch>] the items that are left if an item has ended the thread
        def run_part(engine, part)
          chunk = part.claim_chunk(part.limit, 1)
          chunk ? SupervisedRun.new(engine, chunk).run : []
        end
      end
    end
  end
end
