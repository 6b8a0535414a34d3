# frozen_string_literal: true

module Cdc
  # Applies changes to tables in memory, as a replica would: at the end they hold what the tables on the server hold.
  class Replay
    # A change does not fit what is there: a row that is to be changed is missing.
    class Inconsistent < Error; end

    def initialize
      @tables = Hash.new { |tables, name| tables[name] = {} }
    end

    # @param change [Change] the next one, in the order of the commits
    # @return [void]
    # @raise [Inconsistent]
    def apply(change)
      return change.relations.each { |relation| @tables[relation.name].clear } if change.kind == :truncate

      table = @tables[change.table]
      before = change.kind == :insert ? {} : take(table, change)
      return if change.kind == :delete

      row = change.to_h.to_h { |name, value| [name, value.equal?(RowReader::UNCHANGED) ? before.fetch(name) : value] }
      (table[key(change.relation, change.relation.column_names.map { |name| row[name] })] ||= []) << row
    end

    # @param name [String] as {Relation#name}
    # @return [Array<Hash{String => Object}>] its rows
    def rows(name)
      @tables[name].values.flatten
    end

    private

    # Without a key, or with the whole row as identity, there may be several rows that are the same.
    def take(table, change)
      relation = change.relation
      key = key(relation, change.old || change.row)
      row = table[key]&.pop or raise Inconsistent, "#{change.table}: no row #{key.inspect} to #{change.kind}"
      table.delete(key) if table[key].empty?
      row
    end

    # By name, as columns may come and go.
    def key(relation, values)
      relation.columns.zip(values).select { |column, value| column.key && !value.nil? }
              .map { |column, value| [column.name, value.is_a?(Float) && value.nan? ? :nan : value] }.sort_by(&:first)
    end
  end
end
