# frozen_string_literal: true

require "test_helper"
require "ratomic/compat/avro/payload"

class PayloadTest < Minitest::Test
  Payload = Ratomic::Compat::Avro::Payload

  def test_it_reads_bytes_in_their_order
    payload = Payload.new("\x00abc\xffd".b.freeze, 1)
    assert_equal 97, payload.readbyte
    assert_equal "bc".b, payload.read(2)
    assert_equal 255, payload.readbyte
    assert_equal 5, payload.tell
    assert_equal "d", payload.read(1)
    assert_equal "", payload.read(0)
  end

  def test_strings_read_are_binary_and_not_shared_with_the_payload
    text = "h\u00e9" # also of a payload that is not
    part = Payload.new(text).read(3)
    assert_equal Encoding::BINARY, part.encoding
    refute_predicate part, :frozen?
    part << "!"
    assert_equal "h\u00e9", text
  end

  def test_reading_beyond_the_end_raises
    payload = Payload.new("abc", 1)
    error = assert_raises(Payload::Truncated) { payload.read(3) }
    assert_equal "it ends after 3 bytes, but 3 more are expected after byte 1", error.message
    assert_equal "bc", payload.read(2), "it stands where it stood"
    error = assert_raises(Payload::Truncated) { payload.readbyte }
    assert_equal "it ends after 3 bytes", error.message
  end

  # The numbers of Avro's specification, and the ends of its ranges.
  def test_it_reads_numbers
    { "\x00" => 0, "\x01" => -1, "\x02" => 1, "\x03" => -2, "\x7f" => -64, "\x80\x01" => 64, "\xff\x01" => -128,
      "\xfe\xff\xff\xff\x0f" => (1 << 31) - 1, "\xff\xff\xff\xff\x0f" => -(1 << 31),
      "\xfe#{"\xff" * 8}\x01" => (1 << 63) - 1, "#{"\xff" * 9}\x01" => -(1 << 63) }.each do |bytes, number|
      payload = Payload.new("#{bytes}z")
      assert_equal number, payload.read_long, bytes.dump
      assert_equal "z", payload.read(1)
    end
    error = assert_raises(Payload::Truncated) { Payload.new("\x80\x80").read_long }
    assert_equal "it ends after 2 bytes", error.message
  end

  def test_a_negative_or_huge_length_raises
    [-1, -(1 << 70), 1 << 70].each { |count| assert_raises(Payload::Truncated) { Payload.new("abc").read(count) } }
  end

  def test_it_skips_bytes
    payload = Payload.new("abc")
    payload.seek(payload.tell + 2)
    assert_equal "c", payload.read(1)
    [2, 4].each { |place| assert_raises(Payload::Truncated) { payload.seek(place) } }
  end
end
