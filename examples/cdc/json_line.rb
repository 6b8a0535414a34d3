# frozen_string_literal: true

require "json"

module Cdc
  # A change as one line of JSON: {"table": "public.t", "kind": "insert", "row": {"id": 1}, "old": null}
  #
  # Numbers that JSON cannot hold (NaN, Infinity) are strings, a moment is a string in ISO 8601, bytea one in hex, and
  # JSON columns are there with the very digits that PostgreSQL sent (decode them as text for that, see {Cast.for}).
  # Where it is needed there is more: "unchanged" names the columns that were not sent, "json_null" those whose value is
  # JSON's null and not SQL's, "tables" the tables of a truncate of more than one, "notes" what else is to be said.
  module JSONLine
    SPACES = "\n\r\t"

    # @param change [Change]
    # @return [String]
    def self.of(change)
      relation = change.relation
      marks = Hash.new { |hash, key| hash[key] = [] }
      line = "{\"table\": #{relation.name.to_json}, \"kind\": \"#{change.kind}\", " \
             "\"row\": #{row(change.row, relation, marks)}, \"old\": #{old(change, marks)}"
      marks["tables"] = change.relations.map(&:name) if change.relations.size > 1
      marks["notes"] = change.notes if change.notes
      marks.each { |name, mark| line << ", \"#{name}\": " << JSON.generate(mark) }
      line << "}"
    end

    # Of a key only its columns, as nothing is known of the others.
    def self.old(change, marks)
      return "null" unless change.old
      return row(change.old, change.relation, marks) if change.whole_old?

      row(change.old, change.relation, marks, &:key)
    end

    def self.row(values, relation, marks)
      return "null" unless values

      pairs = values.each_with_index.map do |value, index|
        column = relation.columns[index]
        next if block_given? && !yield(column)
        next (marks["unchanged"] |= [column.name]) && nil if value.equal?(RowReader::UNCHANGED)

        text = value(value, relation.types[index])
        marks["json_null"] |= [column.name] if json?(relation.types[index]) && text == "null" && value
        "#{column.name.to_json}: #{text}"
      end
      "{#{pairs.compact.join(', ')}}"
    end

    def self.json?(type)
      type == 3802 || type == 114 # rubocop:disable Style/MultipleComparison
    end

    def self.value(value, type)
      case value
      when String then string(value, type)
      when Integer, true, false, nil then value.to_json
      when Float then value.finite? ? value.to_json : "\"#{float(value)}\""
      when Time then "\"#{value.strftime('%FT%T.%6NZ')}\""
      else JSON.generate(value, max_nesting: 0)
      end
    end

    def self.string(value, type)
      return value.strip.tr(SPACES, " ") if json?(type)
      return "\"\\\\x#{value.unpack1('H*')}\"" if value.encoding == Encoding::BINARY

      value.to_json
    end

    def self.float(value)
      return "NaN" if value.nan?

      value.positive? ? "Infinity" : "-Infinity"
    end
    private_class_method :old, :row, :json?, :value, :string, :float
  end
end
