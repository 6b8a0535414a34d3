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

  def test_bytea_in_its_other_form_is_the_same
    { "a\\\\b" => "a\\b", "\\000\\377A" => "\x00\xFFA".b, "" => "", "größe" => "größe".b, "\n" => "\n" }
      .each { |text, bytes| assert_equal bytes.b, Cdc::Cast.bytes(text), text }
    ["\\", "\\9", "\\400", "a\\x00"].each { |text| assert_raises(ArgumentError, text) { Cdc::Cast.bytes(text) } }
  end

  def test_numbers_in_json_are_exact
    value = Cdc::Cast.json("[12345678901234567890.123456789, 1e-400, -0.5, 12345678901234567890, 0.1]")

    assert_equal [Rational("12345678901234567890.123456789"), Rational("1e-400"), Rational("-0.5"),
                  12_345_678_901_234_567_890, Rational("0.1")], value.map(&:to_r)
    assert Ractor.shareable?(value)
  end

  def test_json_may_stay_text
    assert_equal %i[text text integer], [114, 3802, 23].map { |type| Cdc::Cast.for(type, json: :text) }
  end

  def test_the_null_of_json_is_not_the_null_of_sql
    assert_equal :null, Cdc::Cast.json("null")
    assert_equal ["null", [nil]], [Cdc::Cast.json('"null"'), Cdc::Cast.json("[null]")]
  end

  def test_json_that_ruby_cannot_hold_is_inexact_and_not_wrong
    assert_equal 400, depth(Cdc::Cast.json(("[" * 400) << ("]" * 400)))
    [("[" * 510) << ("]" * 510), "[1e12345]", '"\ud800"', '{"\uDFFF": 1}', "1e-999999999999"].each do |text|
      assert_raises(Cdc::Cast::Inexact, text) { Cdc::Cast.json(text) }
    end
    assert_equal ["1e12345", "\\\"1e12345"], Cdc::Cast.json('["1e12345", "\\\\\\"1e12345"]')
    assert_equal "\u{1F600}", Cdc::Cast.json('"\ud83d\ude00"')
  end

  def test_a_moment_becomes_a_time_in_utc_whatever_the_zone_of_the_session
    moment = Time.utc(2024, 2, 29, 12, 0, 1, 250_000)

    ["2024-02-29 12:00:01.25+00", "2024-02-29 17:30:01.25+05:30", "2024-02-29 08:30:01.25-03:30"].each do |text|
      assert_equal moment, Cdc::Cast.time(text)
    end
    assert_equal Time.utc(1890, 1, 1), Cdc::Cast.time("1890-01-01 00:53:28+00:53:28")
    assert_equal Time.utc(1890, 1, 1), Cdc::Cast.time("1889-12-31 19:03:58-04:56:02")
    assert Ractor.shareable?(Cdc::Cast.time("12024-02-29 12:00:00+00"))
    ["infinity", "-infinity", "0044-03-15 12:00:00+00 BC"].each { |text| assert_equal text, Cdc::Cast.time(text) }
  end

  def test_any_moment_is_read_to_the_microsecond
    random = Random.new(17)
    500.times do
      moment = Time.at(random.rand(-20_000_000_000..100_000_000_000), random.rand(1_000_000), in: "UTC")
      offset = [0, 3600 * random.rand(-15..15), random.rand(-57_599..57_599)].sample(random: random)
      local = moment + offset
      text = [local.year.to_s.rjust(4, "0"), local.strftime("-%m-%d %H:%M:%S"), fraction(local.usec),
              zone(offset)].join

      assert_equal moment, Cdc::Cast.time(text), text
    end
  end

  def test_json_is_frozen_as_deep_as_it_is_parsed_in_a_ractor_too
    text = ('{"a": ' * (Cdc::Cast::JSON_DEPTH - 1)) << "[1]" << ("}" * (Cdc::Cast::JSON_DEPTH - 1))

    assert Ractor.shareable?(Cdc::Cast.json(text))
    skip_without_ractors
    assert(within(20) { in_ractor(text) { |json| Ractor.shareable?(Cdc::Cast.json(json)) } })
  end

  def test_text_that_is_not_of_the_type_is_refused
    { boolean: "true", float: "1.5.", bytes: "\\x0", json: "{", time: "29.02.2024 12:00:00 UTC" }.each do |cast, text|
      assert_raises(ArgumentError, cast.to_s) { Cdc::Cast.public_send(cast, text) }
    end
  end

  private

  # As PostgreSQL writes it: no zeros at its end.
  def fraction(microseconds)
    microseconds.zero? ? "" : format(".%06d", microseconds).sub(/0+\z/, "")
  end

  def zone(offset)
    minutes, seconds = offset.abs.divmod(60)
    hours, minutes = minutes.divmod(60)
    text = format("%<sign>s%<hours>02d", sign: offset.negative? ? "-" : "+", hours: hours)
    text << format(":%02d", minutes) if minutes.positive? || seconds.positive?
    seconds.positive? ? text << format(":%02d", seconds) : text
  end

  def depth(value)
    value.is_a?(Array) ? 1 + depth(value.first) : 0
  end
end
