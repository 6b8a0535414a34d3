# frozen_string_literal: true

module Cdc
  # Hands on what committed transactions have, and notes about the others, in the order of the stream. Commits come in
  # the order of their LSNs. So if the LSN of a commit is not greater than the last one, the server has sent that
  # transaction again, over a new connection.
  class Outcome
    # @return [Integer] how many transactions were committed
    attr_reader :committed
    # @return [Integer, nil] LSN of the last message that ended a transaction
    attr_reader :lsn

    # @param memory [Memory]
    # @param tell [#call] gets every event, see {Intake#feed}
    def initialize(memory, tell)
      @memory = memory
      @tell = tell
      @committed = 0
      @lsn = nil
      @xid = nil
    end

    # @param event [Run, Transaction::Emitted, Notice]
    def hand_on(event)
      @tell.call(event)
    end

    # @param kind [Symbol] see {Notice}
    # @param held [Held]
    def note(kind, held)
      @tell.call(Notice.new(kind, held.xid, held.offset))
    end

    # Hands on what the transaction has, unless it came again. An LSN that is not the one announced tells that lost
    # bytes made one of two transactions: both are committed.
    #
    # @param held [Held]
    # @param lsn [Integer]
    def commit(held, lsn)
      if held.repeated || seen?(held.lsn || lsn, held.xid)
        note(:repeated, held)
        return held.drop
      end

      note(:joined, held) if held.damaged && held.lsn && held.lsn != lsn
      reached([lsn, held.lsn || 0].max, held.xid)
      @committed += 1
      held.each(&@tell)
    end

    # @return [Boolean] whether this was there before
    def seen?(lsn, xid)
      !@lsn.nil? && (lsn < @lsn || (lsn == @lsn && xid == @xid))
    end

    # Something with an LSN came to its end.
    def reached(lsn, xid)
      @lsn = lsn
      @xid = xid
    end

    # @param event [Struct] the end of a transaction that was never begun here
    # @return [Held] nothing, in its place
    def missing(event, offset)
      held = Held.new(event.xid, event.lsn, offset, @memory)
      note(:block_lost, held) unless seen?(event.lsn, event.xid)
      held
    end

    # @return [Held] as {#missing}, but of a transaction that may have been prepared before the stream began
    def prepared_before(event, offset)
      Held.new(event.xid, event.lsn, offset, @memory)
    end
  end
end
