# frozen_string_literal: true

module Ratomic
  module Workers
    # The results that one worker has made of an owned dispatch. They stay in the worker's Ractor; the slot of each
    # result gets the {OwnedResults} where the caller finds them later. Not shareable.
    class Share
      # Nanoseconds of work from which it pays to hand over a whole Ractor. To copy plain data, and read the copy, takes
      # about as long as to make it.
      MIN_SHARE_NS = HEAP_PER_RACTOR ? 600_000 : 250_000
      # Nanoseconds after which a worker hands its share over although there is more to do, so that results arrive while
      # others are made. The second one counts while other dispatches wait for their turn.
      MAX_SHARE_NS = 250_000_000
      MAX_SHARE_CONTENDED_NS = 20_000_000

      # Nanoseconds that it takes to hand the shares of a dispatch over and to start the next workers, or to copy
      # smaller shares.
      HANDOVER_COST_NS = HEAP_PER_RACTOR ? 1_000_000 : 500_000

      # @return [OwnedResults]
      attr_reader :home
      # @return [Integer] of the dispatch
      attr_reader :ticket
      # @return [Hash{Integer => Array}] runs of results, by the index of the first
      attr_reader :runs

      # Makes the share of a thread that does not end after the chunk (a helper, a waiter). In the caller's Ractor the
      # results stay where they are; from another Ractor they are copied.
      # @param batch [Batch]
      # @return [Share]
      def self.beside(batch)
        return CopiedShare.new(batch) unless batch.handover.here?

        home = OwnedResults.new(OwnedResults::HERE)
        new(batch, home).tap { |share| LocalStore.here.keep(home, share.runs) }
      end

      # @return [Integer] nanoseconds that an owned dispatch takes in addition to its items
      def self.cost(engine)
        engine.costs.waking + engine.backend.handover_cost_ns
      end

      # @param batch [Batch]
      # @param home [OwnedResults]
      def initialize(batch, home = OwnedResults.new)
        @ticket = batch.ticket
        @home = home
        @runs = {}
        @lock = Thread::Mutex.new
      end

      # @param first [Integer] index of the first
      # @param results [Array] of a run of items. Two threads may keep Arrays of the same run; the longer one stays
      # @return [Array] the values that are filed for them
      def keep(first, results)
        @lock.synchronize do
          before = @runs[first]
          @runs[first] = results unless before && before.size > results.size
        end
        filed_for(results)
      end

      # As {#keep}, for results that are kept already.
      # @return [Array]
      def keep_again(_first, results)
        filed_for(results)
      end

      # @return [Array] the values to file: the {OwnedResults} for each result that the caller has to take, and each
      #   Failure and Vacancy as it is
      def filed_for(results)
        filed = if results.any? { |result| Failure === result || Vacancy === result }
                  results.map { |result| Failure === result || Vacancy === result ? result : @home }
                else
                  Array.new(results.size, @home)
                end
        Ractor.make_shareable(filed)
      end

      # Whether all results are {PlainData}.
      def plain?
        @runs.each_value.all? { |results| PlainData.all?(results) }
      end

      # Sends a copy of the results to the caller, before the worker ends, if all can be copied.
      # @return [Boolean] whether it has arrived
      def send_ahead
        return true if @home.arrived?

        copy = CopiedShare.dump(@runs)
        @home.arrive(copy) if copy
        !copy.nil?
      end

      # Called when the worker ends.
      # @return [Hash{Integer => Array}] the runs
      def leave
        @home.leave
        @runs
      end

      # As {#send_ahead}, when the worker can neither go on nor end: what cannot be copied is left.
      # @return [void]
      def save
        return if send_ahead

        runs = {}
        @runs.dup.each do |first, results|
          results.each.with_index(first) { |result, at| runs[at] = [result] if CopiedShare.dump({ at => [result] }) }
        end
        @home.arrive(CopiedShare.dump(runs) || OwnedResults::LOST)
      end
    end
  end
end
