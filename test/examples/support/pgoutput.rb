# frozen_string_literal: true

# Builds messages of pgoutput, protocol version 1, by hand.
module Pgoutput
  TYPES = { int4: 23, int8: 20, text: 25, bool: 16, float8: 701, jsonb: 3802, timestamptz: 1184, bytea: 17,
            numeric: 1700 }.freeze

  # What stands for a value that is sent in binary form.
  Binary = Struct.new(:bytes)

  module_function

  def stream(*messages)
    messages.map { |message| "#{message}\n".b }.join
  end

  # A whole transaction.
  def transaction(*messages, xid: 7)
    [start(xid: xid), *messages, commit]
  end

  def start(xid: 7, lsn: 0x1_0000_0001, microseconds: 0)
    "B".b << [lsn, microseconds, xid].pack("Q>q>N")
  end

  def commit(lsn: 1, end_lsn: 2, microseconds: 0)
    "C\0".b << [lsn, end_lsn, microseconds].pack("Q>Q>q>")
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
