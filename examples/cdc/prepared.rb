# frozen_string_literal: true

module Cdc
  # Transactions that wait for COMMIT PREPARED or ROLLBACK PREPARED, by their global id.
  class Prepared
    # @param outcome [Outcome]
    def initialize(outcome)
      @outcome = outcome
      @held = {}
    end

    # @param held [Held, nil] what the transaction has; nil if it was never begun here
    # @param event [Transaction::Prepare, Transaction::StreamPrepare]
    # @param offset [Integer] where it stands
    # @return [void]
    def add(held, event, offset)
      held ||= @outcome.missing(event, offset)
      if @outcome.seen?(event.lsn, event.xid)
        @outcome.note(:repeated, held)
        return held.drop
      end

      @outcome.reached(event.lsn, event.xid)
      held.lsn = nil # what counts from here on is the LSN of what becomes of it
      @held[event.gid] = held
    end

    # @param event [Transaction::CommitPrepared]
    # @return [void]
    def commit(event, offset)
      held = @held.delete(event.gid)
      return @outcome.commit(held, event.lsn) if held

      held = @outcome.prepared_before(event, offset)
      return @outcome.note(:repeated, held) if @outcome.seen?(event.lsn, event.xid)

      @outcome.reached(event.lsn, event.xid)
      @outcome.note(:prepared_before, held)
    end

    # @param event [Transaction::RollbackPrepared]
    # @return [void]
    def roll_back(event)
      @held.delete(event.gid)&.drop
    end

    # The stream has ended.
    def finish
      @held.each_value { |held| @outcome.note(:still_prepared, held) }
    end

    # Throws away what is held.
    def drop
      @held.each_value(&:drop)
      @held = {}
    end
  end
end
