# frozen_string_literal: true

module Ratomic
  module Workers
    # Recovers a chunk after an item has killed its thread or its worker. The results so far are filed. {Retry} decides
    # what becomes of the item at fault. The items after it are run elsewhere. For a worker that died without a word see
    # {Watchdog#audit}.
    class Recovery
      # Seconds between two checks whether the dispatch is over.
      CHECK_INTERVAL_S = 0.05
      # For how long the program's own code may hold up items that are to be moved back. Such code names parts of items,
      # which takes microseconds; the worker takes no other chunk meanwhile.
      NAMING_TIMEOUT_S = 5
      STUCK = "the item was changed by `call_many`, and cannot be looked at to move it back"
      private_constant :STUCK

      # @param engine [Engine]
      # @param chunk [Chunk]
      # @param timed [Boolean] whether the `timeout:` is enforced here, because there is no coordinator
      def initialize(engine, chunk, timed: false)
        @engine = engine
        @chunk = chunk
        @timed = timed
        @batch = chunk.batch
      end

      # @param what [Symbol] see {PoolFailures::DIED}
      # @return [Array<Batch>] what is still to be run
      def run(what)
        @engine.costs.mark_caller_unsafe(@batch.key) # first: whoever gets the results may dispatch again at once
        return one_by_one if @chunk.in_run?

        failed_index = @chunk.failed_index
        next_index = @chunk.next_index
        file(@chunk.results)
        retried = failed_index && Retry.of(@engine, @batch, failed_index, cause(what))
        return [rest_with(retried, failed_index)] if retried && @batch.options.sequential

        [retried, rest(next_index)].compact
      rescue Exception => e # rubocop:disable Lint/RescueException -- whatever it was, the rest would never be run
        fail_all(e)
        []
      end

      # Files the results so far. Results that are not plain data are frozen in a new thread, because their `freeze` may
      # have killed the last thread, or may never return.
      # @param results [Array] a copy, if the chunk may still run
      # @param seconds [Numeric, nil] after which the results that are not frozen yet are left out
      def file(results, seconds = nil)
        results = Failures.number(results, @chunk.first)
        return file_sealed(@chunk.stand_ins(results)) if @chunk.owned?
        return file_sealed(results) if sealed?(results)

        sealed = []
        until sealed.size == results.size || @batch.completion.complete?
          return file_sealed(sealed) unless (done = seal(results, sealed, seconds))

          sealed << PoolFailures.died(@batch.target, @chunk.first + sealed.size, :thread) unless done == :all
        end
        file_sealed(sealed)
      end

      private

      def sealed?(results)
        return Sharing.deep_freeze(results) if @chunk.sealing == :in_place

        results.all? { |result| Sharing.deep_frozen?(result) }
      end

      # @return [Object, nil] :all when all are sealed; nil when the time was up
      def seal(results, sealed, seconds)
        first = @chunk.first
        how = @chunk.sealing
        in_thread(seconds, :some) do
          while (place = sealed.size) < results.size
            sealed << ResultFreezer.seal_one(results[place], first + place, how)
          end
          :all
        end
      end

      # Runs code of the program in a thread of its own, because it may end its thread, or never return.
      # @param seconds [Numeric, nil]
      # @param ended [Object] what is returned if the thread was ended
      # @return [Object, nil] what the block returns; nil when the time was up
      def in_thread(seconds, ended, &block)
        thread = NestedDispatch.thread(&block)
        limit = Clock.limit(seconds)
        (return if over?(limit)) until thread.join(CHECK_INTERVAL_S)
        thread.value || ended
      ensure
        thread&.kill
      end

      # Whether to stop waiting.
      # @param limit [Float, nil] monotonic seconds
      def over?(limit)
        @engine.expire(@batch) if @timed && @batch.expiry && Clock.now >= @batch.expiry
        @batch.completion.complete? || (limit && Clock.now >= limit)
      end

      # Files copies of the Failures. A runner that is still alive files its own later; {ResultRecorder} compares the
      # objects, and counts only one of the two.
      def file_sealed(results)
        return if results.empty?

        results = results.map { |result| Failure === result ? result.at(result.index) : result }
        @engine.file(@batch, @chunk.first, Ractor.make_shareable(results), true)
      end

      # After a `call_many` nobody knows which item was at fault. So each item is run again alone.
      def one_by_one
        return [] if @batch.completion.complete?
        return [@batch.isolated_part(@chunk.first, @chunk.last)] unless @batch.moved?

        send_back(@chunk.first)
        [@batch.isolated_part(0, 1)]
      end

      # The chunk cannot be recovered: its items become Failures, or the caller would wait for ever.
      def fail_all(error)
        @engine.metrics.trouble(error, "the recovery of a chunk")
        fail_from(@chunk.first, error)
      end

      def fail_from(first, error)
        (first...@chunk.last).each do |index|
          @engine.file(@batch, index, [Failure.from(error, index)].freeze, true) unless @batch.completion.filled?(index)
        end
      end

      # @return [Symbol, String] see {PoolFailures.died}
      def cause(what)
        @chunk.death || (@chunk.fatal? ? :worker : what)
      end

      # In a sequential dispatch no item may overtake the one that runs again.
      # @return [Batch]
      def rest_with(retried, failed_index)
        @batch.part(failed_index, @chunk.last, retried.attempt(failed_index))
      end

      # @return [Batch, nil]
      def rest(from)
        return if from >= @chunk.last || @batch.completion.complete?
        return @batch.part(from, @chunk.last) unless @batch.moved?

        send_back(from)
        @batch.part(0, 1)
      end

      # Moved items belong to this worker, so they are moved back to the coordinator.
      def send_back(from)
        items = movable_rest(from)
        @engine.mailbox.send([:parcel, @batch.ticket, from, items], move: true)
        # If the dispatch was stopped meanwhile, the coordinator has dropped its parcels before this one came.
        @engine.post([:drop, @batch.ticket].freeze) if @batch.completion.complete?
      rescue ShareableError => e
        fail_from(from, e)
      end

      # A `call_many` may have changed the items since they came, so that Ruby cannot move them any more. What is done
      # then calls code of the program (`inspect` of a Hash's keys).
      # @return [Array]
      # @raise [ShareableError] if they cannot go back
      def movable_rest(from)
        items = @chunk.rest(from)
        return items if !RACTORS || Sharing.plain_tree?(items)

        ready = in_thread(NAMING_TIMEOUT_S, nil) { prepare(items, from) } || ShareableError.new(STUCK)
        Array === ready ? ready : raise(ready)
      end

      # @return [Array, ShareableError]
      def prepare(items, from)
        Moving.prepare(items, from)
      rescue ShareableError => e
        e
      end
    end
  end
end
