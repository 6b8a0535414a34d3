# frozen_string_literal: true

module Cdc
  # The messages between the rows. They are few, and they matter in order, so they are decoded where the stream
  # is read ({Intake}), not in workers.
  module Transaction
    # PostgreSQL counts microseconds from 2000-01-01 00:00 UTC.
    EPOCH = 946_684_800

    # Begin of a transaction: LSN of its commit, time of its commit, its xid.
    Begin = Struct.new(:final_lsn, :committed_at, :xid)
    # End of a transaction: LSN of the commit record, LSN behind it, time.
    Commit = Struct.new(:lsn, :end_lsn, :committed_at)
    # The transaction came from another server: LSN of its commit there, name of the replication origin.
    Origin = Struct.new(:lsn, :name)
    # A type that the next Relation uses and that is not built in. For a domain the name is that of its base type.
    Type = Struct.new(:oid, :namespace, :name)
    # What pg_logical_emit_message wrote. The xid is only known of a part of a streamed transaction.
    Emitted = Struct.new(:transactional, :lsn, :prefix, :content, :xid)

    # A block of a transaction that is sent before its end (protocol version 2), and the end of the block.
    StreamStart = Struct.new(:xid, :begins)
    StreamStop = Class.new
    # The end of such a transaction, or of a part of it: `subxid` is the part that is undone, or the whole.
    StreamCommit = Struct.new(:xid, :lsn, :end_lsn, :committed_at)
    StreamAbort = Struct.new(:xid, :subxid)

    # A transaction that waits for COMMIT PREPARED or ROLLBACK PREPARED under a global id (protocol version 3, and any
    # version if the slot was made with two_phase): its begin and its end, the end of a streamed one, and what became.
    BeginPrepare = Struct.new(:lsn, :end_lsn, :prepared_at, :xid, :gid)
    Prepare = Struct.new(:lsn, :end_lsn, :prepared_at, :xid, :gid)
    StreamPrepare = Struct.new(:lsn, :end_lsn, :prepared_at, :xid, :gid)
    CommitPrepared = Struct.new(:lsn, :end_lsn, :committed_at, :xid, :gid)
    RollbackPrepared = Struct.new(:prepare_end_lsn, :end_lsn, :prepared_at, :undone_at, :xid, :gid)

    # @param payload [String] one message that is no row, truncate or Relation
    # @param streamed [Boolean] whether it is inside a streamed block
    # @return [Struct] one of the above, frozen
    # @raise [MalformedMessage] for any other
    def self.parse(payload, streamed: false)
      reader = Reader.new(payload, 1)
      parsed = case payload[0]
               when "B" then Begin.new(reader.uint64, time(reader), reader.uint32)
               when "C" then commit(reader)
               when "O" then Origin.new(reader.uint64, reader.cstring)
               when "Y" then type(reader, streamed)
               when "M" then emitted(reader, streamed)
               else prepared(payload[0], reader) || stream(payload[0], reader)
               end
      Ractor.make_shareable(parsed)
    end

    def self.commit(reader)
      reader.uint8 # flags, always 0
      Commit.new(reader.uint64, reader.uint64, time(reader))
    end

    def self.type(reader, streamed)
      reader.uint32 if streamed
      Type.new(reader.uint32, reader.cstring, reader.cstring)
    end

    def self.emitted(reader, streamed)
      xid = reader.uint32 if streamed
      Emitted.new(reader.uint8 == 1, reader.uint64, reader.cstring, reader.bytes(reader.uint32), xid)
    end

    def self.stream(tag, reader)
      case tag
      when "S" then StreamStart.new(reader.uint32, reader.uint8 == 1)
      when "E" then StreamStop.new
      when "A" then StreamAbort.new(reader.uint32, reader.uint32)
      when "c"
        xid = reader.uint32
        StreamCommit.new(xid, *commit(reader).to_a)
      else raise MalformedMessage, "#{tag.inspect} is no message between rows"
      end
    end

    def self.prepared(tag, reader)
      shape = { "b" => BeginPrepare, "P" => Prepare, "p" => StreamPrepare, "K" => CommitPrepared,
                "r" => RollbackPrepared }[tag] or return
      reader.uint8 unless tag == "b" # flags, always 0
      times = Array.new(tag == "r" ? 2 : 1)
      shape.new(reader.uint64, reader.uint64, *times.map { time(reader) }, reader.uint32, reader.cstring)
    end

    def self.time(reader)
      seconds, microseconds = reader.int64.divmod(1_000_000)
      Time.at(EPOCH + seconds, microseconds, in: "UTC")
    end
    private_class_method :commit, :type, :emitted, :stream, :prepared, :time
  end
end
