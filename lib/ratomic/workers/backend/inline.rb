# frozen_string_literal: true

module Ratomic
  module Workers
    module Backend
      # No workers: a dispatch runs its items before it returns, in a thread of their own, so that an item which ends
      # its thread becomes a Failure here too. For tests and debugging, and for a caller who meets a full queue.
      module Inline
        class << self
          # @return [Engine]
          def start(settings)
            engine = Engine.new(settings, Mailbox::None)
            engine.terminated.fill(true)
            engine
          end

          # Runs the batch to its end.
          def run(engine, batch)
            parts = [batch]
            while (part = parts.shift)
              parts.concat(run_part(engine, part)) unless batch.completion.complete?
            end
          end

          private

          # @return [Array<Batch>] what is left when an item has ended the thread
          def run_part(engine, part)
            return [] unless (first = part.claim(part.limit))

            Turn.new(engine, Chunk.new(part, part.target, first, part.limit, 1)).run
          end
        end
      end
    end
  end
end
