# frozen_string_literal: true

module Ratomic
  module Workers
    # Decides about an item that has ended its thread or its worker. The item runs again, alone, as often as `retries:`
    # allows; after that it becomes a Failure. A moved item is gone with its worker, so it never runs again.
    module Retry
      # @param engine [Engine]
      # @param batch [Batch] with the item
      # @param index [Integer] of the item
      # @param cause [Symbol, String] see {PoolFailures.died}
      # @return [Batch, nil] a batch of the item alone; nil if it does not run again
      def self.of(engine, batch, index, cause)
        return if batch.completion.filled?(index)

        attempt = batch.attempt(index)
        if !batch.moved? && attempt < batch.options.retries
          engine.metrics.retries.increment
          return batch.isolated_part(index, index + 1, attempt + 1)
        end
        engine.file(batch, index, [PoolFailures.died(batch.target, index, cause)].freeze, true)
        nil
      end
    end
  end
end
