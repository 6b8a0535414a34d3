# frozen_string_literal: true

module Ratomic
  module Workers
    # What a {Stream} asks of the {Future} of a group of its items.
    module Grouped
      # What has become of each item, with a {Vacancy} for one that has no result.
      # @api private
      # @return [Array] frozen
      def slots(timeout: nil)
        await_all(timeout)
        slots = @completion.to_a
        @batch.stopped? ? all_named(slots, slots.each_index.to_a) : slots
      end

      # How long a worker needs for all items, by what was measured of the callable so far.
      # @api private
      # @return [Float, nil] nanoseconds; nil where nothing is known
      def work
        cost = @engine.costs.of(@batch.key)
        cost && (cost * @batch.weight)
      end
    end
  end
end
