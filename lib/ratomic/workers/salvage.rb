# frozen_string_literal: true

module Ratomic
  module Workers
    # Saves what was in hand when an item ended its thread or its worker. The results so far are filed, the item at
    # fault becomes a Failure (or runs again, with `retries:`), and what has not run yet runs elsewhere.
    class Salvage
      # @param engine [Engine]
      # @param chunk [Chunk]
      def initialize(engine, chunk)
        @engine = engine
        @chunk = chunk
        @batch = chunk.batch
      end

      # @param what [Symbol] see {Verdict::DIED}
      # @return [Array<Batch>] what is still to be run
      def run(what)
        culprit = @chunk.culprit
        untouched = @chunk.untouched
        @engine.file_chunk(@chunk)
        @engine.costs.mark_wild(@batch.key)
        again = culprit && again(culprit, what)
        return [@batch.part(culprit, @chunk.last, again.attempt)] if again && @batch.options.sequential

        [again, rest(untouched)].compact
      rescue Exception => e # rubocop:disable Lint/RescueException -- whatever it was, the rest would never be run
        fail_all(e)
        []
      end

      private

      # What cannot be saved ends, or its caller would wait for ever.
      def fail_all(error)
        @engine.metrics.trouble(error)
        (@chunk.first...@chunk.last).each do |index|
          @engine.file(@batch, index, [Failure.from(error, index)].freeze, true) unless @batch.completion.filled?(index)
        end
      end

      # @return [Batch, nil] the item alone, when it may run once more
      def again(culprit, what)
        return if @batch.completion.filled?(culprit)

        if !@batch.moved? && @batch.attempt < @batch.options.retries
          @engine.metrics.retries.increment
          return @batch.suspects(culprit, culprit + 1, @batch.attempt + 1)
        end
        @engine.file(@batch, culprit, [Verdict.died(@batch, culprit, what)].freeze, true)
        nil
      end

      # @return [Batch, nil]
      def rest(from)
        return if from >= @chunk.last || @batch.completion.complete?
        return @batch.part(from, @chunk.last) unless @batch.moved?

        @engine.mailbox.send([:parcel, @batch.ticket, from, @chunk.rest(from)], move: true)
        @batch.part(0, 1)
      end
    end
  end
end
