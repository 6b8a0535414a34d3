# frozen_string_literal: true

module Ratomic
  class LocalPool
    # Closes resources: by the callable that the pool was given, else by +close+ where the resource has it.
    # While that talks to a server, interrupts are let in.
    class Closer
      # @param callable [#call, nil]
      def initialize(callable)
        @callable = callable
      end

      # Empties the slot. An error is dropped: the resource is out of use, and nobody is left to mend it.
      def drop(slot)
        close(slot)
      rescue StandardError
        nil
      end

      # Empties all the slots.
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

        Thread.handle_interrupt(Pool::Waiting::ON_BLOCKING) do
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
