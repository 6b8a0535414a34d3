# frozen_string_literal: true

module Ratomic
  module Workers
    # Makes sure that the results of an owned dispatch are taken once, by one thread of one Ractor. Frozen and
    # shareable.
    class TakeOnce
      TAKEN = "the owned results of this dispatch were taken before; keep what the first call returned, or dispatch " \
              "with results: :frozen, which can be read any number of times"
      FORKED = "the owned results of this dispatch stayed in the parent: the process was forked after the dispatch"
      ELSEWHERE = "the owned results of this dispatch are with the Ractor that made it, whose threads ran the items; " \
                  "take them there"
      private_constant :TAKEN, :FORKED, :ELSEWHERE

      def initialize
        @claims = Counter.new
        @caller = Ractor.current
        @process = Process.pid
        freeze
      end

      # Whether the caller of the dispatch is in this Ractor.
      def here?
        @caller.equal?(Ractor.current)
      end

      # @return [void]
      # @raise [TakenError] when the results were taken, or this is a forked child
      def check
        raise TakenError, FORKED unless @process == Process.pid
        raise TakenError, TAKEN if taken?
      end

      # Takes the right.
      # @param homes [Array<OwnedResults>]
      # @return [void]
      # @raise [TakenError] when they were taken before
      def claim(homes = [])
        check
        raise TakenError, ELSEWHERE if homes.any?(&:elsewhere?)
        raise TakenError, TAKEN unless @claims.increment == 1
      end

      def taken?
        !@claims.zero?
      end
    end
  end
end
