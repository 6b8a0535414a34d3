# frozen_string_literal: true

module Cdc
  # A table as the stream described it at one place: its name and its columns. Frozen and shareable.
  # After a change of the table's definition the stream describes it anew, which makes another Relation.
  class Relation
    # One column: name, type OID, type modifier (-1 where there is none), and whether it is part of the key.
    Column = Struct.new(:name, :type, :modifier, :key)

    # @return [Integer] the table's OID
    attr_reader :oid
    # @return [String] "schema.table"
    attr_reader :name
    # @return [String] replica identity: "d" primary key, "n" nothing, "f" full row, "i" an index
    attr_reader :identity
    # @return [Array<Column>] in the order of a row's values
    attr_reader :columns
    # @return [Array<String>] names of the columns, in the same order
    attr_reader :column_names
    # @return [Array<Symbol>] what {Cast} makes of each column
    attr_reader :casts
    # @return [Hash{Symbol => String}] names under which {Totals} counts this table
    attr_reader :counters

    # @param payload [String] a Relation message
    # @return [Relation]
    def self.parse(payload)
      reader = Reader.new(payload, 1)
      oid = reader.uint32
      namespace = reader.cstring
      name = "#{namespace.empty? ? 'pg_catalog' : namespace}.#{reader.cstring}"
      identity = reader.uint8.chr
      columns = Array.new(reader.uint16) do
        key = reader.uint8 == 1
        Column.new(reader.cstring, reader.uint32, reader.int32, key)
      end
      new(oid, name, identity, columns)
    end

    def initialize(oid, name, identity, columns)
      @oid = oid
      @name = -name
      @identity = identity
      @columns = columns
      @column_names = columns.map(&:name)
      @casts = columns.map { |column| Cast.for(column.type) }
      @counters = Totals::KINDS.to_h { |kind| [kind, -"#{name} #{kind}"] }
      Ractor.make_shareable(self)
    end

    # @return [Integer, nil] place of a column in a row
    def index(column)
      @column_names.index(column.to_s)
    end

    def ==(other)
      other.is_a?(Relation) && oid == other.oid && name == other.name &&
        identity == other.identity && columns == other.columns
    end
    alias eql? ==

    def hash
      [oid, name, columns].hash
    end

    def inspect
      "#<Cdc::Relation #{name} (#{column_names.join(', ')})>"
    end
  end
end
