# frozen_string_literal: true

module Cdc
  # A table as the stream described it at one place: its name and its columns. Frozen and shareable.
  # After a change of the table's definition the stream describes it again, which makes another Relation.
  class Relation
    # One column: name, type OID, type modifier (-1 where there is none), and whether it is part of the key.
    Column = Struct.new(:name, :type, :modifier, :key)

    # A name that is told as it is. Any other is quoted.
    PLAIN = /\A[[:word:]$-]+\z/

    # @return [Integer] the table's OID
    attr_reader :oid
    # @return [String] the schema's name
    attr_reader :schema
    # @return [String] the table's name in its schema
    attr_reader :table
    # @return [String] "schema.table" as {Relation.name_for} writes it: one line, different for different tables
    attr_reader :name
    # @return [String] replica identity: "d" primary key, "n" nothing, "f" full row, "i" an index
    attr_reader :identity
    # @return [Array<Column>] in the order of a row's values
    attr_reader :columns
    # @return [Array<String>] names of the columns, in the same order
    attr_reader :column_names
    # @return [Array<Symbol>] what {Cast} makes of each column
    attr_reader :casts
    # @return [Array<Integer>] OID of each column's type; of a domain that of its base type, where that is built in
    attr_reader :types

    # @return [String] schema and table with a dot between; each in quotation marks, as SQL has them, if it holds more
    #   than letters, digits, _, $ and -, and what would spoil a line in there escaped as in Ruby
    def self.name_for(schema, table)
      -"#{plain(schema)}.#{plain(table)}"
    end

    # @return [String] one such name
    def self.plain(name)
      return name if PLAIN.match?(name)

      inner = name.gsub(/[\\\p{Cc}\p{Zl}\p{Zp}]/) { |sign| sign == "\\" ? "\\\\" : sign.inspect[1..-2] }
      "\"#{inner.gsub('"', '""')}\""
    end

    # @param payload [String] a Relation message
    # @param streamed [Boolean] whether it is inside a streamed block
    # @param domains [Hash{Integer => Integer}] OIDs of domains and of their base types
    # @param json [Symbol] see {Cast.for}
    # @return [Relation]
    # @raise [MalformedMessage]
    def self.parse(payload, streamed: false, domains: {}, json: :decimal)
      reader = Reader.new(payload, streamed ? 5 : 1)
      oid = reader.uint32
      namespace = reader.cstring
      table = reader.cstring
      identity = reader.uint8.chr
      columns = Array.new(reader.uint16) do
        key = reader.uint8 == 1
        Column.new(reader.cstring, reader.uint32, reader.int32, key)
      end
      new(oid, [namespace.empty? ? "pg_catalog" : namespace, table], identity, columns, domains: domains, json: json)
    end

    def initialize(oid, names, identity, columns, domains: {}, json: :decimal)
      @oid = oid
      @schema, @table = names
      @name = Relation.name_for(*names)
      @identity = identity
      @columns = columns
      @column_names = columns.map(&:name)
      @types = columns.map { |column| domains.fetch(column.type, column.type) }
      @casts = @types.map { |type| Cast.for(type, json: json) }
      Ractor.make_shareable(self)
    end

    # @return [Integer, nil] place of a column in a row
    def index(column)
      @column_names.index(column.to_s)
    end

    def ==(other)
      other.is_a?(Relation) && oid == other.oid && name == other.name &&
        identity == other.identity && columns == other.columns && types == other.types && casts == other.casts
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
