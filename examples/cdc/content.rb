# frozen_string_literal: true

require "json"
require "time"

module Cdc
  # What the tables on a server hold, every value as the text that PostgreSQL prints, to be compared with rows that were
  # decoded and replayed.
  class Content
    # @param cluster [Cluster]
    # @param database [String]
    # @return [Content] of all tables outside of PostgreSQL's own schemas
    def self.of(cluster, database: "postgres")
      columns = cluster.sql(<<~SQL, database: database)
        SELECT json_build_array(nspname, relname, format('SELECT json_build_object(%s) FROM ONLY %I.%I t',
                 string_agg(format('%L, t.%I::text', attname, attname), ', ' ORDER BY attnum), nspname, relname))
        FROM pg_attribute JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace
        WHERE relkind = 'r' AND attnum > 0 AND NOT attisdropped AND nspname !~ '^pg_' AND nspname <> 'information_schema'
        GROUP BY nspname, relname ORDER BY nspname, relname
      SQL
      tables = columns.lines(chomp: true).to_h do |line|
        schema, table, query = JSON.parse(line)
        rows = cluster.sql("#{query};", database: database).lines(chomp: true)
        [Relation.name_for(schema, table), rows.map { |row| JSON.parse(row) }]
      end
      new(tables)
    end

    # @return [Hash{String => Array<Hash{String => String, nil}>}] rows of each table
    attr_reader :tables

    def initialize(tables)
      @tables = tables
    end

    # @param replay [Replay]
    # @return [Array<String>] one line for each difference; empty if all is equal
    def differences(replay)
      @tables.flat_map do |name, rows|
        columns = rows.first&.keys || []
        wanted = rows.tally
        found = replay.rows(name).map { |row| columns.to_h { |column| [column, Content.text(row[column])] } }.tally
        missing(name, wanted, found, "missing") + missing(name, found, wanted, "too many")
      end
    end

    # @param value [Object] as {Cast} makes it of a text, JSON as text
    # @return [String, nil] the text that PostgreSQL prints for it
    def self.text(value)
      case value
      when nil then nil
      when Time then time(value)
      when Float then float(value)
      when String then value.encoding == Encoding::BINARY ? "\\x#{value.unpack1('H*')}" : value
      else value.to_s
      end
    end

    def self.time(value)
      fraction = value.usec.zero? ? "" : format(".%06d", value.usec).sub(/0+\z/, "")
      "#{value.strftime('%F %T')}#{fraction}+00"
    end

    # The digits are the same, and PostgreSQL writes an exponent in front of 0.0001 and from 1e15 on.
    def self.float(value)
      return value.to_s unless value.finite?

      mantissa, exponent = value.abs.to_s.split("e")
      whole, fraction = mantissa.split(".")
      digits = "#{whole}#{fraction}".sub(/\A0+/, "")
      point = whole.size + exponent.to_i - "#{whole}#{fraction}"[/\A0*/].size
      digits = digits.sub(/0+\z/, "")
      "#{'-' if value.negative? || 1 / value == -Float::INFINITY}#{digits.empty? ? '0' : placed(digits, point)}"
    end

    def self.placed(digits, point)
      unless point.between?(-3, 15)
        rest = digits.size > 1 ? ".#{digits[1..]}" : ""
        return "#{digits[0]}#{rest}e#{format('%+03d', point - 1)}"
      end
      return "0.#{'0' * -point}#{digits}" unless point.positive?

      point >= digits.size ? digits.ljust(point, "0") : digits.dup.insert(point, ".")
    end
    private_class_method :time, :float, :placed

    private

    def missing(name, some, others, word)
      some.filter_map do |row, count|
        more = count - others.fetch(row, 0)
        "#{name}: #{more} #{word}: #{JSON.generate(row)[0, 200]}" if more.positive?
      end
    end
  end
end
