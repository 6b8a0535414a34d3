# frozen_string_literal: true

module Metrics
  # A Ractor that owns the Hashes: workers send it every change, and it counts. Its mailbox has no bound, so a total is
  # as old as what still lies in there. Frozen and shareable.
  class Owner
    def initialize
      @ractor = Ractor.new do
        totals = Totals.none
        until (message = Ractor.receive) == :end
          message.is_a?(Ractor::Port) ? message.send(totals) : totals.count(message)
        end
      end
      freeze
    end

    # @param change [Change] copied, unless it is frozen through and through
    # @return [void]
    def count(change)
      @ractor.send(change)
    end

    # Waits until the owner has counted what was sent before.
    # @return [Totals] a copy
    def totals
      answer = Ractor::Port.new
      @ractor.send(answer)
      answer.receive
    ensure
      answer&.close
    end

    # @return [void]
    def close
      @ractor.send(:end)
      @ractor.join
    end
  end
end
