# frozen_string_literal: true

module Ratomic
  module Workers
    # The methods of a {Chunk} that run it in a worker process, see {Processes::ChunkRequest}.
    module ByProcess
      # @return [String, Symbol, nil] the cause of the process's death, as text or as a key of {PoolFailures::DIED}. The
      #   first item without a result is at fault.
      attr_accessor :death
      # @return [Boolean] whether all its items are in one call
      attr_writer :in_run

      # Whether its items go to the callable's `call_many`.
      def whole?
        @whole
      end

      # Whether the dispatch was ended, so that the results are not needed any more.
      def over?
        @batch.completion.complete?
      end

      # @param kind [Integer] see {Processes::Request}
      # @param from [Integer] index
      # @param to [Integer] index after the last one
      # @return [Processes::Request]
      def request(kind, from, to)
        Processes::Request.new(kind, @callable, @batch, @items[(from - @offset)...(to - @offset)], from, @limit)
      end

      # @param result [Object] of the next item
      def add(result)
        @results << result
      end

      # @param results [Array] of all items, of one call
      def add_run(results)
        @failed = true if Runs.failed?(@callable, results)
        @results.concat(results)
      end

      # Called when the process has stopped. If items are left, the time of the chunk was up.
      def cut_short
        @cut = @first + @results.size < @last
      end

      # Makes a result shareable. The time that this takes counts as the item's.
      # @return [Object] the result, or a Failure that says why it cannot be shared
      def sealed(result, index)
        seal_one(result, index)
      rescue Exception => e # rubocop:disable Lint/RescueException -- as in Chunk#run
        Failure.from(e, index)
      end
    end
    private_constant :ByProcess
  end
end
