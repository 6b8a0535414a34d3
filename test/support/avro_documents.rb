# frozen_string_literal: true

require "json"
require "stringio"

# Schemas and data of every kind that Avro has, encoded with the library's own writer and decoded with its own reader.
module AvroDocuments
  SCHEMAS = {
    7 => JSON.generate(
      "type" => "record", "name" => "Order", "namespace" => "shop", "fields" => [
        { "name" => "id", "type" => "long" }, { "name" => "count", "type" => "int" },
        { "name" => "paid", "type" => "boolean" }, { "name" => "nothing", "type" => "null" },
        { "name" => "ratio", "type" => "float" }, { "name" => "weight", "type" => "double" },
        { "name" => "note", "type" => %w[null string], "default" => nil }, { "name" => "raw", "type" => "bytes" },
        { "name" => "price",
          "type" => { "type" => "bytes", "logicalType" => "decimal", "precision" => 9, "scale" => 2 } },
        { "name" => "day", "type" => { "type" => "int", "logicalType" => "date" } },
        { "name" => "at", "type" => { "type" => "long", "logicalType" => "timestamp-micros" } },
        { "name" => "state", "type" => { "type" => "enum", "name" => "State", "symbols" => %w[NEW PAID SENT] } },
        { "name" => "tags", "type" => { "type" => "array", "items" => "string" } },
        { "name" => "extra", "type" => { "type" => "map", "values" => "long" } },
        { "name" => "code", "type" => { "type" => "fixed", "name" => "Code", "size" => 4 } },
        { "name" => "party", "type" => [{ "type" => "record", "name" => "Person",
                                          "fields" => [{ "name" => "name", "type" => "string" }] },
                                        { "type" => "record", "name" => "Company",
                                          "fields" => [{ "name" => "vat", "type" => "string" }] }] },
        { "name" => "parent", "type" => %w[null Order], "default" => nil }
      ]
    ).freeze,
    70_000 => '"string"',
    8 => '["null", {"type": "array", "items": "double"}]'
  }.freeze

  module_function

  # @return [Array<Object>] data for schema 7; the same seed gives the same data
  def orders(count, seed: 3)
    random = Random.new(seed)
    Array.new(count) { |i| order(i, random, i.even? ? order(-i, random, nil) : nil) }
  end

  def order(id, random, parent)
    {
      "id" => id * 1_000_003, "count" => random.rand(-9..9), "paid" => random.rand(2).zero?, "nothing" => nil,
      "ratio" => random.rand(8) / 4.0, "weight" => random.rand, "raw" => random.bytes(random.rand(40)),
      "note" => random.rand(3).zero? ? nil : "n\u00f6te \u{1f4e6}" * random.rand(4),
      "price" => BigDecimal(random.rand(-99_999..99_999)) / 100, "day" => Date.new(2026, 1, 1) + random.rand(900),
      "at" => Time.at(1_767_225_600 + random.rand(10_000), random.rand(1_000_000)).utc,
      "state" => %w[NEW PAID SENT].sample(random: random), "tags" => Array.new(random.rand(4)) { |i| "tag#{i}" },
      "extra" => Array.new(random.rand(3)) { |i| ["key#{i}", random.rand(1 << 60)] }.to_h, "code" => random.bytes(4),
      "party" => random.rand(2).zero? ? { "name" => "Zo\u00eb" } : { "vat" => "DE1" }, "parent" => parent
    }
  end

  # A message in Confluent's wire format.
  # @return [String]
  def encode(id, datum)
    out = StringIO.new(String.new)
    out.write([0, id].pack("CN"))
    Avro::IO::DatumWriter.new(schema(id)).write(datum, Avro::IO::BinaryEncoder.new(out))
    out.string
  end

  # As the library itself does.
  def decode(message)
    id = message[1, 4].unpack1("N")
    Avro::IO::DatumReader.new(schema(id)).read(Avro::IO::BinaryDecoder.new(StringIO.new(message[5..])))
  end

  # What record.py has recorded: messages that fastavro has encoded, as a Kafka broker gave them back.
  # @return [Array(Hash, Array, Array)] schemas by id, payloads, and what they must be
  def topic
    recorded = JSON.parse(File.read(File.expand_path("avro_topic/orders.json", __dir__)))
    payloads, data = recorded["messages"].map { |message| message.values_at("value", "datum") }.transpose
    [recorded["schemas"].transform_keys(&:to_i), payloads.map { |value| value&.unpack1("m") },
     data.map { |datum| datum&.key?("total") ? with_ruby_types(datum) : datum }]
  end

  def with_ruby_types(datum)
    datum.merge("total" => BigDecimal(datum["total"]), "day" => Date.iso8601(datum["day"]))
  end

  def schema(id)
    (@schemas ||= {})[id] ||= Avro::Schema.real_parse(JSON.parse(SCHEMAS.fetch(id)), {})
  end
end
