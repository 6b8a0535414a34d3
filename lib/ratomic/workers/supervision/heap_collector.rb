# frozen_string_literal: true

module Ratomic
  module Workers
    # Frees the heaps of ended Ractors, on Rubies with a heap for each Ractor. Only a collection of the whole process
    # frees them, and that may not happen by itself for a long time. The VM keeps their pages for later heaps, so
    # resident memory stays at its peak.
    class HeapCollector
      # Heaps after which a collection is started.
      MIN_HEAPS = 16
      # A collection takes longer with more heaps and objects. So the pause between two of them is at least as many
      # times as long as the last one computed. (Not as long as it took: on a busy machine that may be much longer, and
      # heaps would pile up meanwhile.)
      PAUSE_FACTOR = 4

      def initialize
        @heaps = 0
        @pause_end = 0
      end

      # Called when a Ractor has ended. Collects if it is time to.
      # @return [void]
      def ractor_ended
        @heaps += 1
        return if @heaps < MIN_HEAPS || Clock.now < @pause_end

        started = Clock.now
        computed = Clock.computed
        start_gc
        @heaps = 0
        # This thread may have got another native thread meanwhile, whose time says nothing.
        took = (Clock.computed - computed).clamp(0, Clock.now - started)
        @pause_end = Clock.now + (took * PAUSE_FACTOR)
      end

      private

      def start_gc
        GC.start
      end
    end
  end
end
