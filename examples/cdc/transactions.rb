# frozen_string_literal: true

module Cdc
  # Follows transactions through the stream and holds what each has until its end is there ({Held}):
  #
  # - an ordinary one stands between its Begin and its Commit,
  # - a streamed one comes in blocks, with others between them, until its Stream Commit; an abort may undo a part of it,
  #   or all,
  # - a prepared one, streamed or not, is kept under its global id until COMMIT PREPARED or ROLLBACK PREPARED.
  #
  # After a broken connection the server sends again what was not confirmed, perhaps from the middle of a transaction.
  # {Outcome} knows what was there before.
  class Transactions
    # @param memory [Memory]
    # @param tell [#call] gets every event, see {Intake#feed}
    def initialize(memory, tell)
      @memory = memory
      @outcome = Outcome.new(memory, tell)
      @prepared = Prepared.new(@outcome)
      @open = nil
      @block = nil
      @streams = {}
      @damaged = false
    end

    # @return [Integer] how many were committed
    def committed
      @outcome.committed
    end

    # @return [Boolean] whether rows inside a streamed block are what comes
    def in_block?
      !@block.nil?
    end

    # @return [Boolean] whether the next message belongs to a transaction
    def inside?
      !(@open || @block).nil?
    end

    # @return [Array<Integer>] ids of streamed transactions that are open
    def streams
      @streams.keys
    end

    # @return [Array] what {Fit} needs to know
    def place
      return [:block, @outcome.lsn, @block.xid] if @block
      return [:transaction, @open.lsn, nil] if @open&.lsn

      [:between, @outcome.lsn, nil]
    end

    # @return [Held] what rows belong to now
    def holding(offset)
      @block || @open || (@open = Held.new(nil, nil, offset, @memory).tap { |held| held.damaged = @damaged })
    end

    # Bytes were lost here.
    def damaged
      @damaged = true
      (@block || @open)&.damaged = true
    end

    # @param event [Struct] a message of {Transaction}
    # @param offset [Integer] where in the stream it stands
    # @param size [Integer] bytes that it has
    # @raise [MalformedMessage] if it makes no sense here
    def follow(event, offset, size)
      case event
      when Transaction::Begin then begin_ordinary(event.xid, event.final_lsn, offset)
      when Transaction::BeginPrepare then begin_ordinary(event.xid, event.lsn, offset)
      when Transaction::Commit then commit_ordinary(event.lsn)
      when Transaction::Emitted then emitted(event, offset, size)
      when Transaction::StreamStart then start_block(event, offset)
      when Transaction::StreamStop then stop_block
      when Transaction::Origin then nil
      else settle(event, offset)
      end
    end

    # The stream has ended.
    #
    # @raise [TruncatedStream] if it did so inside a transaction
    def finish(offset)
      @streams.each_value { |held| @outcome.note(:still_open, held) unless held.equal?(@block) }
      @prepared.finish
      return unless inside?

      held = @block || @open
      raise TruncatedStream, "the stream ends at byte #{offset} inside transaction #{held.xid || 'without id'}: " \
                             "its #{@block ? 'stream stop' : 'commit'} is missing"
    ensure
      drop
    end

    # Throws away what is held.
    def drop
      [@open, *@streams.values].compact.each(&:drop)
      @prepared.drop
      @open = @block = nil
      @streams = {}
    end

    private

    def begin_ordinary(xid, lsn, offset)
      interrupted(lsn)
      broken_off(@streams.delete(xid)) if @streams.key?(xid)
      @open = Held.new(xid, lsn, offset, @memory)
      @open.repeated = @outcome.seen?(lsn, xid)
    end

    # Something begins where something else has not ended. Either its connection broke, and the server will send it
    # again; or its end was in bytes that were lost, and then it is known to be committed.
    def interrupted(lsn = nil)
      @block && broken_off(@streams.delete(@block.xid))
      @block = nil
      return unless @open

      if @open.damaged && @open.lsn && (lsn.nil? || lsn > @open.lsn)
        @outcome.note(:end_lost, @open)
        @outcome.commit(@open, @open.lsn)
      else
        broken_off(@open)
      end
      @open = nil
    end

    def broken_off(held)
      @outcome.note(:broken_off, held)
      held.drop
    end

    def commit_ordinary(lsn)
      raise MalformedMessage, "a commit outside of a transaction" unless @open && !@block

      held = @open
      @open = nil
      @outcome.note(:begin_lost, held) if held.lsn.nil?
      @outcome.commit(held, lsn)
    end

    def emitted(event, offset, size)
      return @outcome.hand_on(event) unless event.transactional

      holding(offset).add(event, size)
    end

    def start_block(event, offset)
      interrupted
      held = @streams[event.xid]
      if held && event.begins
        broken_off(held)
        held = nil
      end
      @block = @streams[event.xid] = held || Held.new(event.xid, nil, offset, @memory)
      @outcome.note(:block_lost, @block) unless held || event.begins
    end

    def stop_block
      raise MalformedMessage, "the end of a block outside of one" unless @block

      @block = nil
    end

    def settle(event, offset)
      return end_prepared(event) if event.is_a?(Transaction::Prepare)

      interrupted
      case event
      when Transaction::StreamCommit then commit_streamed(event, offset)
      when Transaction::StreamAbort then undo(event)
      when Transaction::StreamPrepare then @prepared.add(@streams.delete(event.xid), event, offset)
      when Transaction::CommitPrepared then @prepared.commit(event, offset)
      when Transaction::RollbackPrepared then @prepared.roll_back(event)
      end
    end

    def end_prepared(event)
      raise MalformedMessage, "the end of a prepared transaction outside of one" if @block || !@open

      @prepared.add(@open, event, @open.offset)
      @open = nil
    end

    def commit_streamed(event, offset)
      held = @streams.delete(event.xid) || @outcome.missing(event, offset)
      held.lsn = event.lsn
      @outcome.commit(held, event.lsn)
    end

    # What was never begun here has nothing to undo.
    def undo(event)
      held = @streams[event.xid] or return
      return held.undone[event.subxid] = true unless event.subxid == event.xid

      @streams.delete(event.xid).drop
    end
  end
end
