# frozen_string_literal: true

module Ratomic
  module Workers
    # Puts owned results into their places, share by share, in the Ractor that takes them.
    class Unpacking
      # @param engine [Engine]
      # @param batch [Batch]
      def initialize(engine, batch)
        @completion = batch.completion
        # If only the worker that made a result can have filled its slot, whole runs are copied at once.
        metrics = engine.metrics
        @certain = !batch.slow_path? && !batch.stopped? &&
                   [metrics.respawns, metrics.abandoned, metrics.fallback_items].all?(&:zero?)
        @results = []
        @taken = {}.compare_by_identity
        @lost = false
      end

      # @param homes [Array<OwnedResults>] of all results; they have arrived
      # @return [Array] all results
      def all(homes)
        @results = Array.new(@completion.to_a)
        homes.each { |home| put(home) }
        @results.map!.with_index { |result, index| resolved(result, index) } if @lost || !@certain
        @results
      end

      # @param index [Integer] of a slot that is full, and whose home has arrived
      # @return [Object, Failure] its result, which is not kept here
      def take(index)
        slot = @completion[index]
        return resolved(slot, index) unless OwnedResults === slot

        put(slot) unless @taken[slot]
        result = @results[index]
        @results[index] = nil
        resolved(result, index)
      end

      private

      def put(home)
        @taken[home] = true
        runs = home.take
        return lose(home) unless runs

        runs.each { |first, results| place(home, first, results) }
      end

      def place(home, first, results)
        return @results[first, results.size] = results if @certain && !home.copied?

        results.each_with_index do |result, offset|
          index = first + offset
          @results[index] = result if home.equal?(@completion[index])
        end
      end

      def lose(home)
        @lost = true
        @completion.size.times { |index| @results[index] = home if home.equal?(@completion[index]) }
      end

      # @return [Object, Failure] with its index
      def resolved(result, index)
        case result
        when OwnedResults then PoolFailures::LOST.at(index)
        when Failure then result.index ? result : result.at(index)
        else result
        end
      end
    end
  end
end
