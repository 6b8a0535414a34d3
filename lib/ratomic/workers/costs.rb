# frozen_string_literal: true

module Ratomic
  module Workers
    # What a pool has learnt about its callables: the time that a unit of weight takes, and whether a callable may be
    # run by the caller. Shared by all workers.
    class Costs
      # The marks of a callable that must not be run by the caller: what happened to its items in a worker.
      WILD = :wild
      # Nanoseconds that waking a worker takes, before it was measured, and at least and at most.
      WAKING = 30_000
      WAKING_RANGE = (2_000..100_000)

      # Nanoseconds that an item takes at most which a caller may meet.
      SLOW = 2_000_000
      # So many chunks, one after the other, without a slow item make a callable tame.
      CALM = 16

      # @return [Trials]
      attr_reader :trials

      def initialize
        @trials = Trials.new
        @calm = Map.new
        @waking = Counter.new(WAKING)
        @nanoseconds = Averages.new
        @tame = Map.new # the same, of those that may be run by the caller: asked at every dispatch
        @marks = Map.new
        freeze
      end

      # @return [Float, nil] nanoseconds for a unit of weight
      def of(key)
        @nanoseconds[key]
      end

      # As {#of}, for a callable that may be run by the caller: it was measured often, was never slow since, and never
      # did what it may not do in the caller's thread.
      # @return [Float, nil]
      def tame(key)
        @tame[key]
      end

      # @param weight [Integer] what was run
      # @param nanoseconds [Integer] how long it took
      # @param items [Integer] how many they were
      def learn(key, weight, nanoseconds, items)
        cost = @nanoseconds.learn(key, (nanoseconds + 1).fdiv(weight))
        slow = nanoseconds > SLOW * items
        calm = slow ? 0 : (@calm[key] || 0) + 1
        @calm[key] = calm if slow || calm <= CALM
        calm < CALM ? @tame.delete(key) : @tame[key] = cost
        @tame.delete(key) if wild?(key) # last: it may have been marked meanwhile
      end

      # Nanoseconds that a dispatch to a sleeping worker takes besides its items: waking the worker, and then the
      # caller.
      # @return [Integer]
      def waking
        @waking.value * 2
      end

      # @param nanoseconds [Integer] from a dispatch to its start in a worker that had slept
      def learn_waking(nanoseconds)
        known = @waking.value
        # A worker that was only starting, or a machine that was busy for a moment, tell little.
        sample = [nanoseconds, known * 2].min.clamp(WAKING_RANGE)
        @waking.reset(known + ((sample - known) / 16))
      end

      # @return [Hash{String => Float}] nanoseconds for a unit of weight, by callable
      def to_h
        @nanoseconds.to_h.transform_keys(&:to_s)
      end

      # An item of it ended its thread or its worker, or touched what only the main Ractor may touch.
      def mark_wild(key)
        @marks[key] = WILD
        @tame.delete(key)
      end

      def wild?(key)
        @marks[key] == WILD
      end
    end
  end
end
