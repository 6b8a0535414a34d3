# frozen_string_literal: true

module Cdc
  # Decodes the messages of one {Run}. For one thread, and for one walk through it.
  class RunReader
    # A message that could not be decoded: where it begins, and why.
    Rejected = Struct.new(:offset, :reason) do
      def to_s
        "#{reason} (message at byte #{offset})"
      end
    end

    # @param run [Run]
    # @param relations [Ratomic::Map] as {Intake#relations}
    # @param tables [Hash{Integer => Relation}] those that were looked up already for the schemas of the run
    def initialize(run, relations, tables = {})
      @run = run
      @bytes = run.bytes
      @relations = relations
      @reader = RowReader.new(@bytes)
      @tables = tables
    end

    # @yieldparam change [Change, Rejected] in the order of the stream
    # @yieldparam bytes [Integer] size of its message
    def each
      at = 0
      undone = @run.undone if @run.streamed? && @run.undone.any?
      while at < @bytes.bytesize
        if undone&.key?(Layout.uint32(@bytes, at + 1))
          ending = message_end(at)
        else
          change = change(at)
          ending = change.is_a?(Change) ? @reader.at : message_end(at)
          yield change, ending - at
        end
        at = ending + 1
      end
    end

    # @param at [Integer] where in the run a message begins
    # @return [Change]
    # @raise [MalformedMessage]
    def decode(at)
      @reader.start(@run.streamed? ? at + 5 : at + 1)
      case (tag = @bytes.getbyte(at))
      when 73 then insert
      when 85 then update
      when 68 then delete
      when 84 then truncate
      else raise MalformedMessage, "#{tag.chr.inspect} is no change of rows"
      end
    end

    private

    # A message whose rows are read may have an end that is none.
    def change(at)
      change = decode(at)
      ending = @reader.at
      return change if ending >= @bytes.bytesize || @bytes.getbyte(ending) == 10

      Rejected.new(@run.offset + at, "a row that ends before its message")
    rescue MalformedMessage => e
      Rejected.new(@run.offset + at, e.message)
    end

    def message_end(at)
      Layout.message_end(@bytes, at, @run.streamed?) || @bytes.bytesize
    end

    def insert
      relation = relation(@reader.uint32)
      expect_new(@reader.marker)
      Change.new(:insert, relation, @reader.row(relation), nil, @run.xid, notes: @reader.notes)
    end

    def update
      relation = relation(@reader.uint32)
      marker = @reader.marker
      if old?(marker)
        old = Change::Old.new(@reader.row(relation), marker == 79)
        marker = @reader.marker
      end
      expect_new(marker)
      row = @reader.row(relation, old)
      Change.new(:update, relation, row, old, @run.xid, notes: @reader.notes)
    end

    def delete
      relation = relation(@reader.uint32)
      marker = @reader.marker
      raise MalformedMessage, "a delete without its old row" unless old?(marker)

      old = Change::Old.new(@reader.row(relation), marker == 79)
      Change.new(:delete, relation, nil, old, @run.xid, notes: @reader.notes)
    end

    def truncate
      count = @reader.uint32
      @reader.marker # flags: CASCADE, RESTART IDENTITY
      relations = Array.new(count) { relation(@reader.uint32) }
      raise MalformedMessage, "a truncate of no table" if relations.empty?

      Change.new(:truncate, relations.first, nil, nil, @run.xid, relations: relations.freeze)
    end

    # K is followed by the old key, O by the whole old row.
    def old?(marker)
      marker == 75 || marker == 79 # rubocop:disable Style/MultipleComparison -- an Array per row costs more
    end

    def expect_new(marker)
      raise MalformedMessage, "a new row expected, found #{marker.inspect}" unless marker == 78
    end

    def relation(oid)
      @tables[oid] ||= described(oid)
    end

    def described(oid)
      number = @run.schemas[oid]
      (number && @relations[number]) or raise MalformedMessage, "the stream never described table #{oid}"
    end
  end
end
