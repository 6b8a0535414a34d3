# frozen_string_literal: true

require "test_helper"
require_relative "../../../examples/cdc/cdc"

class CdcCastTest < Minitest::Test
  def test_a_type_without_a_ruby_value_of_its_own_stays_text
    { 1700 => :text, 1082 => :text, 99_999 => :text, 20 => :integer, 16 => :boolean, 3802 => :json, 1184 => :time,
      17 => :bytes, 701 => :float }.each { |oid, cast| assert_equal cast, Cdc::Cast.for(oid), oid.to_s }
  end

  def test_booleans_and_floats
    assert_equal [true, false], [Cdc::Cast.boolean("t"), Cdc::Cast.boolean("f")]
    { "1.5" => 1.5, "-2e+300" => -2e300, "Infinity" => Float::INFINITY, "-Infinity" => -Float::INFINITY }
      .each { |text, number| assert_equal number, Cdc::Cast.float(text) }
    assert_predicate Cdc::Cast.float("NaN"), :nan?
  end

  def test_bytea_becomes_bytes
    assert_equal ["\x00\xFFa".b, "".b], [Cdc::Cast.bytes('\x00ff61'), Cdc::Cast.bytes('\x')]
    assert_equal Encoding::BINARY, Cdc::Cast.bytes('\x00').encoding
  end

  def test_json_becomes_frozen_values
    value = Cdc::Cast.json('{"a": [1, "b", null]}')

    assert_equal({ "a" => [1, "b", nil] }, value)
    assert Ractor.shareable?(value)
  end

  def test_a_moment_becomes_a_time_in_utc_whatever_the_zone_of_the_session
    moment = Time.utc(2024, 2, 29, 12, 0, 1, 250_000)

    ["2024-02-29 12:00:01.25+00", "2024-02-29 17:30:01.25+05:30", "2024-02-29 08:30:01.25-03:30"].each do |text|
      assert_equal moment, Cdc::Cast.time(text)
    end
    assert Ractor.shareable?(Cdc::Cast.time("12024-02-29 12:00:00+00"))
    ["infinity", "-infinity", "0044-03-15 12:00:00+00 BC"].each { |text| assert_equal text, Cdc::Cast.time(text) }
  end

  def test_text_that_is_not_of_the_type_is_refused
    { boolean: "true", float: "1.5.", bytes: "00", json: "{", time: "yesterday" }.each do |cast, text|
      assert_raises(ArgumentError, cast.to_s) { Cdc::Cast.public_send(cast, text) }
    end
  end
end
