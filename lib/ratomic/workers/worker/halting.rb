# frozen_string_literal: true

module Ratomic
  module Workers
    # A {Chunk} of items that have an order, in a pool with `fallback:`. It stops at the first item that has failed
    # because it ran in a Ractor. The fallback runs that item again, and then the items after it.
    module Halting
      # @return [void]
      def halt
        @halting = true
      end

      # Whether it has stopped at such an item.
      def halted?
        @halted
      end

      private

      # @return [Failure]
      def fail_with(error, index)
        @failed = true
        failure = Failure.from(error, index)
        @halted = @halting && Remedy.of_ractor?(failure)
        failure
      end
    end
    private_constant :Halting
  end
end
