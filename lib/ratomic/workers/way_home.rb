# frozen_string_literal: true

module Ratomic
  module Workers
    # Which way the results of a dispatch would come to their caller, and why.
    class WayHome
      WHY = {
        frozen: "made shareable where they stand, and read without a copy",
        in_place: "threads of the caller's own Ractor make them, and leave them as they are",
        by_process: "Marshal copies them from the process that made them, and they are left as they are",
        by_caller: "the caller runs the items itself and leaves the results as they are; another way would take longer",
        unknown: "not measured yet: shares of plain data that take less than %<least>s come as copies, all others " \
                 "with the heap of their worker",
        copied: "a worker's share takes about %<share>s; below %<least>s plain data comes as a copy, which costs " \
                "less than the end of a worker (what is no plain data comes with the heap of its worker)",
        handed_over: "a worker's share takes about %<share>s; from %<least>s on the worker ends, and its heap is " \
                     "handed over with all that it has made: nothing is copied or frozen"
      }.freeze
      private_constant :WHY

      # @param engine [Engine]
      # @param items [Array]
      # @param key [Object] of the callable, see {Callable.key}
      # @param mode [:frozen, :owned]
      def initialize(engine, items, key, mode)
        @engine = engine
        @items = items
        @key = key
        @mode = mode
      end

      # @return [Hash{Symbol => Object}] :mode (:frozen or :owned), :way (a key of WHY) and :why
      def to_h
        { mode: @mode, way: way,
          why: format(WHY[way], share: milliseconds(share), least: milliseconds(Share::MIN_SHARE_NS)) }
      end

      private

      def way
        return :frozen if @mode == :frozen
        return @engine.backend.way_home if @engine.backend.way_home
        return :by_caller if OwnedCallerRuns.small?(@engine, @items, @key, :auto)
        return :unknown unless share

        share < Share::MIN_SHARE_NS ? :copied : :handed_over
      end

      # @return [Float, nil] nanoseconds that each worker has to do
      def share
        cost = @engine.costs.of(@key)
        cost && (WorkEstimate.of(@items) * cost / [@engine.parallel, @items.size].min.clamp(1, nil))
      end

      def milliseconds(nanoseconds)
        format("%.2f ms", (nanoseconds || 0) / 1e6)
      end
    end
  end
end
