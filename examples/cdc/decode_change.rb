# frozen_string_literal: true

module Cdc
  # The callable: one undecoded {Message} in, one frozen {Change} out, counted on the way. Frozen and shareable, so
  # one and the same object serves `map`, threads and Ractors.
  class DecodeChange
    # @return [Totals] what was decoded so far
    attr_reader :totals

    # @param relations [Ratomic::Map] as {Intake#relations} or {Recording#relations}
    # @param totals [Totals]
    def initialize(relations, totals = Totals.new)
      @relations = relations
      @totals = totals
      freeze
    end

    # @param message [Message]
    # @return [Change]
    # @raise [MalformedMessage] naming the byte where the message begins; nothing is counted then
    def call(message)
      raise MalformedMessage, message.defect if message.defect

      change = decode(message, message.payload)
      @totals.count(change, message.bytesize)
      change
    rescue MalformedMessage => e
      raise MalformedMessage, "#{e.message} (message at byte #{message.offset})"
    end

    private

    def decode(message, payload)
      case payload.getbyte(0)
      when 73 then insert(message, payload)
      when 85 then update(message, payload)
      when 68 then delete(message, payload)
      when 84 then truncate(message)
      else raise MalformedMessage, "#{payload[0].inspect} is no change of rows"
      end
    end

    def insert(message, payload)
      relation = relation(message.schema, payload)
      reader = RowReader.new(payload, 5)
      expect_new(reader.marker)
      Change.new(:insert, relation, reader.row(relation), nil, message.xid)
    end

    def update(message, payload)
      relation = relation(message.schema, payload)
      reader = RowReader.new(payload, 5)
      marker = reader.marker
      if old?(marker)
        old = reader.row(relation)
        marker = reader.marker
      end
      expect_new(marker)
      Change.new(:update, relation, reader.row(relation), old, message.xid)
    end

    def delete(message, payload)
      relation = relation(message.schema, payload)
      reader = RowReader.new(payload, 5)
      raise MalformedMessage, "a delete without its old row" unless old?(reader.marker)

      Change.new(:delete, relation, nil, reader.row(relation), message.xid)
    end

    def truncate(message)
      relations = message.schema.each_with_index.map do |schema, index|
        relation(schema, message.payload, 6 + (4 * index))
      end
      raise MalformedMessage, "a truncate of no table" if relations.empty?

      Change.new(:truncate, relations.first, nil, nil, message.xid, relations.freeze)
    end

    # K is followed by the old key, O by the whole old row.
    def old?(marker)
      marker == 75 || marker == 79 # rubocop:disable Style/MultipleComparison -- an Array per row costs more
    end

    def expect_new(marker)
      raise MalformedMessage, "a new row expected, found #{marker.inspect}" unless marker == 78
    end

    def relation(schema, payload, at = 1)
      relation = @relations[schema] unless schema.nil?
      return relation if relation

      raise MalformedMessage, "the stream never described table #{Reader.new(payload, at).uint32}"
    end
  end
end
