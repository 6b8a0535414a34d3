# frozen_string_literal: true

module Ratomic
  module Workers
    # The order in which a worker takes batches: first those that it has kept, then those of the {RunQueue}, where those
    # that wait and those that were begun take turns, nearly as if they were in one queue. It holds the hand of the
    # {Runner}, the batch that was taken last.
    #
    # A batch that is in no variable when an interrupt ends the runner would be lost, and its caller would wait for
    # ever. Ruby looks for interrupts when a Ruby method returns, but not between a native call and the assignment of
    # what it returns. So {#take} assigns at once what native methods return. (To defer interrupts meanwhile would make
    # a small batch a tenth slower.)
    class BatchOrder
      # @return [Batch, nil]
      attr_accessor :hand

      # @param run_queue [RunQueue]
      def initialize(run_queue)
        @run_queue = run_queue
        @fresh = run_queue.fresh
        @begun = run_queue.begun
        @taken = 0 # since one that was begun
      end

      # Takes the next batch into the hand.
      # @param kept [Array<Batch>]
      # @return [Batch, nil]
      def take(kept)
        @hand = kept.shift
        return @hand if @hand

        if @run_queue.turn_of_begun?(@taken)
          @hand = @begun.try_pop
          @taken = 0 if @hand
          return @hand if @hand
        end
        @taken += 1
        @hand = @fresh.try_pop
        @hand ||= @begun.try_pop
        @hand
      end
    end
  end
end
