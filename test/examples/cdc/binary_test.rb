# frozen_string_literal: true

require "test_helper"
require_relative "../../../examples/cdc/cdc"

# Values in binary form. The bytes are what PostgreSQL 15 itself sends (numeric_send, date_send and so on).
class CdcBinaryTest < Minitest::Test
  def test_numbers
    { [20, [-5].pack("q>")] => -5, [21, [-5].pack("s>")] => -5, [23, [7].pack("l>")] => 7,
      [26, [4_294_967_295].pack("N")] => 4_294_967_295, [701, [0.1].pack("G")] => 0.1, [700, [0.1].pack("g")] => 0.1,
      [700, [1.0e10].pack("g")] => 1.0e10, [700, "\x7f\x7f\xff\xff"] => 3.4028235e38,
      [700, "\x80\0\0\1"] => -1.0e-45, [700, "\xcc\x30\xe7\x42"] => -4.6374152e+07, [700, "\0\0\0\0"] => 0.0,
      [16, "\1"] => true, [16, "\0"] => false }
      .each { |(type, bytes), value| assert_equal value, read(type, bytes), value.to_s }
    assert_predicate read(700, [Float::NAN].pack("g")), :nan?
  end

  def test_numeric_is_the_text_that_postgresql_prints
    { "00000000 00000000" => "0", "00010000 00000000 0001" => "1", "00010000 40000000 0001" => "-1",
      "00020000 00000002 0001 1388" => "1.50", "0000 0000 0000 0003" => "0.000",
      "0001 ffff 0000 0001 03e8" => "0.1", "0001 fffe 0000 0006 0064" => "0.000001",
      "0002 0001 0000 0000 0001 0001" => "10001", "0001 0002 0000 0000 0003" => "300000000",
      "0000 0000 c000 0000" => "NaN", "0000 0000 d000 0020" => "Infinity", "0000 0000 f000 0020" => "-Infinity",
      "0002 0000 0000 0005 0013 26ac" => "19.99000" }
      .each { |hex, text| assert_equal text, read(1700, [hex.delete(" ")].pack("H*")), hex }
  end

  def test_text_json_and_bytes
    assert_equal "größe", read(25, "größe")
    assert_equal({ "a" => [1] }, read(3802, "\1{\"a\": [1]}"))
    assert_equal :null, read(114, "null")
    assert_equal "\x00\xFF".b, read(17, "\x00\xFF".b)
    assert_equal "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", read(2950, ["a0eebc999c0b4ef8bb6d6bb9bd380a11"].pack("H*"))
  end

  def test_moments_and_dates
    assert_equal Time.utc(2024, 1, 1, 0, 0, 0.5r), read(1184, [757_382_400_500_000].pack("q>"))
    assert_equal %w[infinity -infinity], [(2**63) - 1, -(2**63)].map { |most| read(1184, [most].pack("q>")) }
    { 0 => "2000-01-01", 8825 => "2024-02-29", -730_119 => "0001-01-01", -730_120 => "0001-12-31 BC",
      -746_390 => "0045-06-15 BC", 2_145_031_948 => "5874897-12-31", (2**31) - 1 => "infinity" }
      .each { |days, text| assert_equal text, read(1082, [days].pack("l>")) }
  end

  def test_values_are_frozen_and_shareable
    [[25, "a"], [1700, [1, 0, 0, 0, 1].pack("n*")], [1184, [0].pack("q>")], [3802, "\1[\"a\"]"], [17, "a"],
     [1082, [0].pack("l>")]].each { |type, bytes| assert Ractor.shareable?(read(type, bytes)), type.to_s }
  end

  def test_what_is_no_value_of_the_type_is_refused
    { 20 => "\0", 21 => "", 16 => "\2", 3802 => "\2[]", 1700 => "\0\1\0\0\0\0\0\0", 25 => "\xFF", 2950 => "x",
      114 => "{", 600 => "x" * 16 }.each { |type, bytes| assert_raises(ArgumentError, type.to_s) { read(type, bytes) } }
    assert_raises(ArgumentError) { read(1184, [-63_082_281_600_000_001].pack("q>")) }
  end

  private

  def read(type, bytes)
    Cdc::Binary.value(type, Cdc::Cast.for(type), bytes.dup.force_encoding(Encoding::UTF_8))
  end
end
