# frozen_string_literal: true

module Ratomic
  module Workers
    # The methods of the {Engine} that pass results to their caller, count them, and emit the events. The results are
    # frozen before, by {ResultFreezer.seal}.
    module ResultRecorder
      # Exceptions after which callers do not run the callable any more. Either the item used something of the main
      # Ractor, which fails in workers only; or it would end the caller.
      NOT_FOR_CALLERS = ["Ractor::IsolationError", "Ractor::UnsafeError",
                         *[SystemExit, SignalException, Interrupt].map(&:name)].freeze
      private_constant :NOT_FOR_CALLERS

      # @param chunk [Chunk] as far as it has run
      # @param now [Integer, nil] monotonic nanoseconds, where they are known
      def file_chunk(chunk, now = nil)
        return if chunk.results.empty?

        chunk.seal
        file(chunk.batch, chunk.first, chunk.results, chunk.failed?, now, (chunk.last if chunk.halted?))
      end

      # Files results where the caller waits for them.
      # @param results [Array] shareable
      # @param failed [Boolean] whether there may be Failures among them
      # @param now [Integer, nil] as in {#file_chunk}
      # @param last [Integer, nil] see `Fallback#spans`
      def file(batch, first, results, failed, now = nil, last = nil)
        if failed && @fallback && (spans = @fallback.spans(batch, first, results, last))
          remember(batch, spans[0].failure)
          return file_around(spans, batch, first, results, now) unless batch.moved? # moved items have no other copy
        end
        file_as_is(batch, first, results, failed, now)
      end

      # As {#file}, but without the fallback: also Failures of items that failed because they ran in a Ractor.
      def file_as_is(batch, first, results, failed, now = nil)
        Interrupts.deferred do # an interrupt in between would lose results, or the end of the pool
          record(batch, first, results, failed, now)
          wind_up unless open?
        end
      end

      # Counts the Failures of a dispatch that the caller has run itself.
      # @param results [Array] shareable
      # @param options [Options] of the dispatch
      def count_by_caller(results, callable, options)
        caller_unsafe = false
        results.each do |result|
          @metrics.count_omitted(result) if Partial === result
          next unless Failure === result

          @metrics.note_failure(result, options.as || Callable.label(callable), nil, options.context)
          caller_unsafe = true if NOT_FOR_CALLERS.include?(result.exception_class)
        end
        @metrics.dropped.increment(results.count { |result| DROPPED.equal?(result) })
        @costs.mark_caller_unsafe(Callable.key(callable, options.as)) if caller_unsafe
      end

      # Counts a batch that has all its results.
      # @param now [Integer, nil] as in {#file_chunk}
      # @param late [Array, nil] results that are about to be filed
      def finish(batch, now = nil, late = nil)
        return unless batch.finish

        took = (now || Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)) - batch.born
        @metrics.tally.record(took)
        @metrics.names.end(batch.options.as, batch.size, took) if batch.options.as
        forget(batch)
        return if @subscribers.none?

        dropped = batch.completion.dropped + (late ? late.count { |result| DROPPED.equal?(result) } : 0)
        emit(:completed, batch, items: batch.size, dropped: dropped, seconds: took / 1e9)
      end

      # Counts a Failure of a batch.
      # @param times [Integer] number of items that have it
      def note_failure(batch, failure, times = 1)
        @metrics.note_failure(failure, @costs.name_of(batch), batch.ticket, batch.options.context, times)
      end

      private

      # The batch is counted as done before its last results are filed, so that a caller that has the value finds it in
      # the statistics. (Where a slot may be filled twice, which are the last is known only afterwards.) Then it has to
      # get them, whatever comes: nothing else can end it. In the main thread a signal can come here.
      def record(batch, first, results, failed, now)
        count_failures(batch, first, results) if failed
        completion = batch.completion
        early = !batch.slow_path? && completion.completed_by?(first, results.size)
        begin
          finish(batch, now, results) if early
        ensure
          fresh = completion.file(first, results, @finished, @metrics.dropped)
        end
        take_back(batch, first, results) unless fresh == results.size
        finish(batch, now) if !early && completion.complete?
      end

      # Files the results outside of the spans, and has the items of the spans run again.
      # @param spans [Array<Fallback::Span>]
      def file_around(spans, batch, first, results, now)
        filed = first
        spans.each do |span|
          file_slice(batch, first, results, filed...span.from, now)
          @metrics.fallback_items.increment(span.to - span.from)
          part = batch.part(span.from, span.to)
          post([:fall_back, part, span.failure].freeze) || stop(part, PoolFailures::KILLED)
          filed = span.to
        end
        file_slice(batch, first, results, filed...(first + results.size), now)
      end

      # @param indexes [Range]
      def file_slice(batch, first, results, indexes, now)
        return unless indexes.begin < indexes.end

        kept = Ractor.make_shareable(results[(indexes.begin - first)...(indexes.end - first)])
        file_as_is(batch, indexes.begin, kept, true, now)
      end

      # Called when the callable has failed because it ran in a Ractor.
      def remember(batch, failure)
        @costs.mark_caller_unsafe(batch.key)
        @fallback.remember(self, Fallback.key(batch.target, batch.options.as), @costs.name_of(batch),
                           "#{failure.exception_class}: #{failure.message}", batch, failure: failure)
      end

      # Some of the slots were full already: the Failures that were not filed are subtracted from the counts.
      def take_back(batch, first, results)
        results.each_with_index do |result, offset|
          next if batch.completion[first + offset].equal?(result)

          case result
          when Failure
            @metrics.count_failure(result, -1)
            count_named(batch, -1)
          when Partial
            @metrics.count_omitted(result, -1)
            count_named(batch, -result.omitted.values.sum)
          end
        end
      end

      def count_named(batch, failures)
        @metrics.names.fail(batch.options.as, failures) if batch.options.as
      end

      # Counts all Failures of a chunk, and keeps a few of them among the last ones.
      def count_failures(batch, first, results)
        noted = 0
        results.each_with_index do |result, offset|
          if Partial === result
            @metrics.count_omitted(result)
            count_named(batch, result.omitted.values.sum)
          end
          next unless Failure === result

          count_named(batch, 1)
          (noted += 1) > LastFailures::MAX_PER_CLASS ? @metrics.count_failure(result) : note_failure(batch, result)
          @costs.mark_caller_unsafe(batch.key) if NOT_FOR_CALLERS.include?(result.exception_class)
          emit(:failed, batch, item: first + offset, failure: result)
        end
      end
    end
  end
end
