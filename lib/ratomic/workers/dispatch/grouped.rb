# frozen_string_literal: true

module Ratomic
  module Workers
    # Methods of a {Future} that a {Stream} calls. The future is that of a group of the stream's items.
    module Grouped
      # The results, with a {Failure} or a {Vacancy} for an item that has none.
      # @api private
      # @return [Array] frozen
      def slots(timeout: nil)
        await_all(timeout)
        slots = @completion.to_a
        @batch.stopped? ? all_named(slots, slots.each_index.to_a) : slots
      end

      # How long a worker is expected to need for all items, from earlier measurements of the callable.
      # @api private
      # @return [Float, nil] nanoseconds; nil if the callable was not measured
      def work
        cost = @engine.costs.of(@batch.key)
        cost && (cost * @batch.weight)
      end
    end
  end
end
