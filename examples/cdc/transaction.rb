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
    # A user-defined type that the next Relation uses.
    Type = Struct.new(:oid, :name)
    # What pg_logical_emit_message wrote.
    Emitted = Struct.new(:transactional, :lsn, :prefix, :content)

    # @param payload [String] a Begin, Commit, Origin, Type or Message message
    # @return [Begin, Commit, Origin, Type, Emitted] frozen
    # @raise [MalformedMessage] for any other
    def self.parse(payload)
      reader = Reader.new(payload, 1)
      parsed = case payload[0]
               when "B" then Begin.new(reader.uint64, time(reader), reader.uint32)
               when "C" then commit(reader)
               when "O" then Origin.new(reader.uint64, reader.cstring)
               when "Y" then Type.new(reader.uint32, "#{reader.cstring}.#{reader.cstring}")
               when "M" then Emitted.new(reader.uint8 == 1, reader.uint64, reader.cstring, reader.bytes(reader.uint32))
               else raise MalformedMessage, "#{payload[0].inspect} is no message between rows"
               end
      Ractor.make_shareable(parsed)
    end

    def self.commit(reader)
      reader.uint8 # flags, always 0 in this version of the protocol
      Commit.new(reader.uint64, reader.uint64, time(reader))
    end

    def self.time(reader)
      seconds, microseconds = reader.int64.divmod(1_000_000)
      Time.at(EPOCH + seconds, microseconds, in: "UTC")
    end
    private_class_method :commit, :time
  end
end
