# frozen_string_literal: true

module Cdc
  # One decoded change. Frozen and shareable; `==` compares everything in it.
  class Change
    # @return [Symbol] :insert, :update, :delete or :truncate
    attr_reader :kind
    # @return [Relation] the table, as it was described at this place of the stream; of a truncate the first one
    attr_reader :relation
    # @return [Array, nil] the new row's values in the order of the relation's columns; nil after delete, truncate
    attr_reader :row
    # @return [Array, nil] what is known of the row before: all of it under REPLICA IDENTITY FULL, else the key
    #   with nil elsewhere, and only if the key changed or the row was deleted
    attr_reader :old
    # @return [Integer, nil] the transaction
    attr_reader :xid
    # @return [Hash{String => String}, nil] columns of which the text was kept, because no Ruby value is the same, and
    #   why
    attr_reader :notes

    # @param old [Old, nil]
    def initialize(kind, relation, row, old, xid, relations: nil, notes: nil)
      @kind = kind
      @relation = relation
      @row = row
      @old = old&.row
      @whole = old&.whole
      @xid = xid
      @relations = relations
      @notes = notes
      freeze
    end

    # The row before: its values, and whether it is whole and not only the key.
    Old = Struct.new(:row, :whole)

    # @return [Boolean] whether {#old} is the whole row, and not only its key
    def whole_old?
      @whole == true
    end

    # @return [Array<Relation>] all tables of a truncate, else just the one
    def relations
      @relations || [@relation]
    end

    # @return [String] "schema.table"
    def table
      @relation.name
    end

    # @param column [String, Symbol]
    # @return [Object] the value in the new row, or in the old one after a delete; nil for an unknown column
    def [](column)
      index = @relation.index(column)
      index && (@row || @old)&.at(index)
    end

    # @return [Hash{String => Object}] the new row, or the old one after a delete
    def to_h
      @relation.column_names.zip(@row || @old || []).to_h
    end

    def ==(other)
      other.is_a?(Change) && @kind == other.kind && @xid == other.xid && @row == other.row && @old == other.old &&
        relations == other.relations && @notes == other.notes
    end
    alias eql? ==

    def hash
      [@kind, @xid, @row, @old].hash
    end

    def inspect
      "#<Cdc::Change #{@kind} #{relations.map(&:name).join(', ')} #{to_h}>"
    end
  end
end
