# frozen_string_literal: true

module Ratomic
  module Workers
    # What callers, workers and the coordinator of a pool have in common for owned results: whether the reserve is short
    # of workers, and where what is being made is going to be. Frozen and shareable.
    #
    # The reserve are workers that have started and take no work until they get the seat of one that has gone home.
    class Reserve
      # @return [Map] number of a worker => the {OwnedResults} of what it is making
      attr_reader :homes

      def initialize
        @short = Counter.new(1)
        @homes = Map.new
        freeze
      end

      # Somebody of the reserve is needed.
      # @return [void]
      def short
        @short.reset(1)
      end

      # Whether the reserve is to be filled. Told once, until the next one is needed.
      def short?
        @short.compare_and_set(1, 0)
      end
    end
  end
end
