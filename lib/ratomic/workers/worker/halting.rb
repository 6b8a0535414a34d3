# frozen_string_literal: true

module Ratomic
  module Workers
    # A {Chunk} of items that have an order, in a pool with `fallback:`. At the first one that has failed because it ran
    # in a Ractor it stops: that one is run again elsewhere, and the others after it.
    module Halting
      # @return [void]
      def halt
        @halting = true
      end

      # Whether it has stopped so.
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
