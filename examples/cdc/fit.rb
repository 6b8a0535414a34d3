# frozen_string_literal: true

module Cdc
  # Whether messages behind a broken place can be what comes next. A value may hold bytes that look like messages. So
  # inside a transaction two things are proof: its own commit, because nobody who wrote such a value can know the LSN of
  # that commit; or very many messages that fit. {Recovery} follows each of its chains with a copy of its own.
  class Fit
    # Where nothing is known of the stream yet, messages of any kind fit, and three in a row are enough.
    class Anything
      def initialize
        @count = 0
      end

      def take(*)
        @count += 1
      end

      def enough?
        @count >= POINTS
      end

      def closed?
        true
      end

      def name(_oid); end
    end

    # Messages that speak for a place before it is believed.
    POINTS = 3
    # Messages that are proof without a commit, as a transaction may be larger than the memory.
    MANY = 1000
    # How far apart the LSNs of neighbours may be: 64 GiB of log.
    NEAR = 1 << 36

    # @param place [:between, :transaction, :block] what was going on
    # @param lsn [Integer, nil] of the commit of the open transaction, else of the last one; nil if unknown
    # @param xid [Integer, nil] the transaction of the open streamed block
    # @param relations [#call] gives the {Relation} that is current for an OID, or nil
    # @param streams [Array<Integer>] streamed transactions that are open
    def initialize(place, lsn, xid, relations, streams)
      @place = place
      @start = place
      @lsn = lsn
      @xid = xid
      @relations = relations
      @streams = streams
      @described = {}
      @points = 0
      @count = 0
      @sure = false
      @closed = false
    end

    def initialize_copy(*)
      super
      @described = @described.dup
    end

    # @return [Boolean] whether this message fits what came before; not to be asked again after a false
    def take(data, at, ending, streamed)
      @count += 1
      points = case (tag = data.getbyte(at))
               when 73, 85, 68 then row(data, streamed ? at + 5 : at + 1)                # I U D
               when 82 then described(data, at, ending, streamed)                        # R
               when 84, 89, 79, 77 then 0                                                # T Y O M
               else boundary(data, at, tag)
               end
      @points += points if points
      !points.nil?
    end

    # @return [Boolean] whether what was taken is enough to believe it
    def enough?
      return true if @sure || @count >= MANY

      @points >= POINTS && (@start == :between || @closed)
    end

    # @return [Boolean] whether the stream may end here
    def closed?
      @sure || @place == :between
    end

    # @return [String, nil] name of a table that was described
    def name(oid)
      @relations.call(oid)&.name
    end

    private

    # Behind the id of its table and a letter, every row begins with the number of its columns.
    def row(data, at)
      oid = Layout.uint32(data, at)
      columns = @described[oid] || @relations.call(oid)&.columns&.size
      return 0 unless columns

      (data.getbyte(at + 5) << 8) | data.getbyte(at + 6) == columns ? 1 : nil
    end

    def described(data, at, ending, streamed)
      relation = Relation.parse(data.byteslice(at, ending - at), streamed: streamed)
      @described[relation.oid] = relation.columns.size
      1
    end

    def boundary(data, at, tag)
      case tag
      when 66, 98 then begins(Layout.uint64(data, at + 1))                               # B b
      when 67, 80 then ends(Layout.uint64(data, at + 2))                                 # C P
      when 83 then block(Layout.uint32(data, at + 1), data.getbyte(at + 5))              # S
      when 69 then block_ends                                                            # E
      when 99, 65, 112 then streamed_ends(Layout.uint32(data, tag == 112 ? at + 26 : at + 1)) # c A p
      else 0 # K r
      end
    end

    # The same once more (a connection that was taken up again), or the next, if this one's end was lost.
    def begins(lsn)
      return unless near?(lsn) || lsn == @lsn

      @place = :transaction
      @begun = lsn
      1
    end

    def ends(lsn)
      if @begun
        return unless lsn == @begun
      elsif @start == :transaction
        return unless lsn == @lsn

        @sure = true
      elsif @start == :block || !near?(lsn)
        return
      end
      close(lsn)
    end

    def close(lsn)
      @closed = true
      @place = :between
      @begun = nil
      @lsn = lsn
      1
    end

    def block(xid, first)
      return unless first < 2 && xid > 2

      @place = :block
      @xid = xid
      1
    end

    def block_ends
      return unless @place == :block

      @place = :between
      @closed = true
      0
    end

    def streamed_ends(xid)
      return unless @streams.include?(xid) || xid == @xid

      @place = :between
      @closed = true
      1
    end

    def near?(lsn)
      @lsn.nil? || (lsn - @lsn).between?(1, NEAR)
    end
  end
end
