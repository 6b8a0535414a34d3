# frozen_string_literal: true

module Ratomic
  class LocalPool
    # Closes resources: with the callable that the pool was given, else with the resource's own +close+, if it has one.
    # Interrupts are let in where closing blocks.
    class Closer
      # @param callable [#call, nil]
      def initialize(callable)
        @callable = callable
      end

      # Closes the resource of the slot. An error is dropped: the resource is out of use, and no caller could act on it.
      def drop(slot)
        close(slot)
      rescue StandardError
        nil
      end

      # Closes the resources of all the slots.
      # @raise [StandardError] the first error, after all were closed
      def close_all(slots)
        failure = nil
        slots.each do |slot|
          close(slot)
        rescue StandardError => error
          failure ||= error
        end
        raise failure if failure
      end

      private

      def close(slot)
        resource = slot.empty
        return if resource.nil?

        Workers::Interrupts.on_blocking do
          if @callable
            @callable.call(resource)
          elsif resource.respond_to?(:close)
            resource.close
          end
        end
      end
    end
  end
end
