# frozen_string_literal: true

# Builds messages of pgoutput, protocol versions 1 to 4, by hand.
module Pgoutput
  TYPES = { int4: 23, int8: 20, text: 25, bool: 16, float8: 701, jsonb: 3802, timestamptz: 1184, bytea: 17,
            numeric: 1700, json: 114, float4: 700 }.freeze

  # What stands for a value that is sent in binary form.
  Binary = Struct.new(:bytes)

  module_function

  def stream(*messages)
    messages.map { |message| "#{message}\n".b }.join
  end

  # LSN of the commit of a transaction: commits come in the order of these.
  def lsn(xid)
    0x1_0000_0000 + (xid * 0x100)
  end

  # A whole transaction.
  def transaction(*messages, xid: 7, at: lsn(xid))
    [start(xid: xid, lsn: at), *messages, commit(lsn: at)]
  end

  def start(xid: 7, lsn: lsn(xid), microseconds: 0)
    "B".b << [lsn, microseconds, xid].pack("Q>q>N")
  end

  def commit(xid: 7, lsn: lsn(xid), end_lsn: lsn + 48, microseconds: 0)
    "C\0".b << [lsn, end_lsn, microseconds].pack("Q>Q>q>")
  end

  # A block of a streamed transaction: the messages get the xid behind their letter, unless they have one by {in_part}.
  def block(xid, *messages, first: true)
    marked = messages.map { |message| message.is_a?(InPart) ? message.bytes : in_part(xid, message).bytes }
    [stream_start(xid, first: first), *marked, "E".b]
  end

  # A message inside a streamed block, of the (sub)transaction xid.
  InPart = Struct.new(:bytes)

  def in_part(xid, message)
    InPart.new(message[0].b << [xid].pack("N") << message[1..].b)
  end

  def stream_start(xid, first: true)
    "S".b << [xid, first ? 1 : 0].pack("NC")
  end

  def stream_commit(xid, lsn: lsn(xid))
    "c".b << [xid, 0, lsn, lsn + 48, 0].pack("NCQ>Q>q>")
  end

  # @param lsn [Integer, nil] with `streaming 'parallel'`: LSN of the abort, and then a time
  def stream_abort(xid, subxid = xid, lsn: nil)
    "A".b << [xid, subxid].pack("NN") << (lsn ? [lsn, 0].pack("Q>q>") : "")
  end

  # From begin to PREPARE TRANSACTION.
  def prepared(xid, gid, *messages, lsn: lsn(xid))
    [begin_prepare(xid, gid, lsn: lsn), *messages, prepare(xid, gid, lsn: lsn)]
  end

  def begin_prepare(xid, gid, lsn: lsn(xid))
    "b".b << [lsn, lsn + 48, 0, xid].pack("Q>Q>q>N") << "#{gid}\0".b
  end

  def prepare(xid, gid, lsn: lsn(xid), tag: "P")
    tag.b << [0, lsn, lsn + 48, 0, xid].pack("CQ>Q>q>N") << "#{gid}\0".b
  end

  def stream_prepare(xid, gid, lsn: lsn(xid))
    prepare(xid, gid, lsn: lsn, tag: "p")
  end

  def commit_prepared(xid, gid, lsn: lsn(xid) + 80)
    prepare(xid, gid, lsn: lsn, tag: "K")
  end

  def rollback_prepared(xid, gid, lsn: lsn(xid) + 80)
    "r".b << [0, lsn - 80, lsn, 0, 0, xid].pack("CQ>Q>q>q>N") << "#{gid}\0".b
  end

  def origin(name, lsn: 9)
    "O".b << [lsn].pack("Q>") << name.b << "\0"
  end

  def type(oid, namespace, name)
    "Y".b << [oid].pack("N") << "#{namespace}\0#{name}\0".b
  end

  # @param columns [Hash{String => Symbol, Integer}] names and types; the first one is the key
  def relation(oid, name, columns, namespace: "public", identity: "d")
    described = columns.each_with_index.map do |(column, column_type), index|
      (index.zero? ? "\1" : "\0").b << column.b << "\0" << [TYPES.fetch(column_type, column_type), -1].pack("Nl>")
    end
    "R".b << [oid].pack("N") << "#{namespace}\0#{name}\0#{identity}".b << [columns.size].pack("n") << described.join
  end

  def insert(oid, *values)
    "I".b << [oid].pack("N") << "N" << tuple(values)
  end

  # @param key [Array, nil] the old key's row
  # @param old [Array, nil] the whole old row
  def update(oid, *values, key: nil, old: nil)
    before = key ? "K".b << tuple(key) : old && ("O".b << tuple(old))
    "U".b << [oid].pack("N") << before.to_s << "N" << tuple(values)
  end

  def delete(oid, key: nil, old: nil)
    "D".b << [oid].pack("N") << (key ? "K".b << tuple(key) : "O".b << tuple(old))
  end

  def truncate(*oids, flags: 0)
    "T".b << [oids.size, flags].pack("NC") << oids.pack("N*")
  end

  def emitted(prefix, content, transactional: true, lsn: 5)
    "M".b << [transactional ? 1 : 0, lsn].pack("CQ>") << prefix.b << "\0" << [content.bytesize].pack("N") << content.b
  end

  def tuple(values)
    [values.size].pack("n") << values.map { |value| value(value) }.join
  end

  def value(value)
    case value
    when nil then "n".b
    when :unchanged then "u".b
    when Binary then "b".b << [value.bytes.bytesize].pack("N") << value.bytes.b
    else "t".b << [value.to_s.bytesize].pack("N") << value.to_s.b
    end
  end
end
