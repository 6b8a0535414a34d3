# frozen_string_literal: true

require "test_helper"

class TextTest < Minitest::Test
  Text = Ratomic::Workers::Text

  def test_text_of_any_encoding_is_converted
    text = "Größe"
    [text, text.encode("UTF-16LE"), text.encode("ISO-8859-1"), text.b, "ascii".encode("US-ASCII")].each do |string|
      assert_equal Encoding::UTF_8, Text.of(string).encoding
    end
    [text.encode("UTF-16LE"), text.encode("ISO-8859-1"), text.b].each { |string| assert_equal text, Text.of(string) }
  end

  def test_invalid_bytes_are_replaced
    ["\xff".b, "\xff", "\xff".dup.force_encoding("US-ASCII"), "\x00\xd8".dup.force_encoding("UTF-16LE")].each do |bytes|
      assert_predicate Text.of(bytes), :valid_encoding?
      assert_includes Text.of(bytes), "\ufffd"
    end
    assert_predicate Text.of("+".dup.force_encoding("UTF-7")), :valid_encoding?
  end

  def test_it_is_a_copy_and_no_method_of_a_string_subclass_is_called
    own = Class.new(String) { def encode(*) = exit }.new("text")
    text = Text.of(own)
    assert_equal [String, "text", false], [text.class, text, text.frozen?]
    assert_equal Encoding::UTF_8, own.encoding
  end

  def test_a_long_text_is_shortened_and_tells_its_size
    [["a" * 5_000, 5_000], ["ü" * 5_000, 10_000], ["\u{1F600}" * 5_000, 20_000], ["\xff".b * 5_000, 5_000],
     ["ü".encode("UTF-16LE") * 5_000, 10_000]].each do |text, bytes|
      short = Text.short(text, 200)
      assert_equal [200, Encoding::UTF_8], [short.size, short.encoding]
      assert short.end_with?("... (#{bytes} bytes in all)")
      assert short.start_with?(Text.of(text)[0, 150])
      assert_equal short, Text.short(short, 200)
    end
  end

  def test_a_text_that_is_short_enough_is_whole
    ["", "a" * 200, "ü" * 200, "\u{1F600}" * 200].each { |text| assert_equal text, Text.short(text, 200) }
  end
end
