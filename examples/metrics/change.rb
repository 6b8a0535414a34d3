# frozen_string_literal: true

require "json"

module Metrics
  # One row change, as a CDC connector writes it: a line of JSON.
  Change = Struct.new(:table, :kind, :bytes, :lag_ms) do
    # @param line [String]
    # @return [Change]
    # @raise [JSON::ParserError]
    def self.parse(line)
      change = JSON.parse(line)
      new(change["source"]["table"], change["op"], line.bytesize, change["ts_ms"] - change["source"]["ts_ms"])
    end

    # @return [String] under which changes like this one are counted, such as "orders insert"
    def name
      "#{table} #{kind}"
    end
  end
end
