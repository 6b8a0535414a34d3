# frozen_string_literal: true

require "test_helper"

class ShortInspectTest < Minitest::Test
  def brief(object)
    Ratomic::Workers::ShortInspect.of(object)
  end

  # Has no say in how it is shown.
  class Loud
    def inspect = raise("not me")
    def to_s = raise("nor me")
  end

  def test_plain_data_is_shown_as_it_is
    assert_equal "{\"file\" => \"a.csv\", :lines => [1, 2.5, nil, true]}",
                 brief({ "file" => "a.csv", lines: [1, 2.5, nil, true] })
  end

  def test_only_the_beginning_of_large_objects_is_shown
    assert_equal "[0, 1, 2, 3, 4, 5, 6, 7, ...]", brief((0..99).to_a)
    assert_equal "\"#{"x" * 200}\"...", brief("x" * 1_000_000)
    assert_equal "[[[[...]]]]", brief([[[[[1]]]]])
    assert_operator brief(Array.new(20) { Array.new(20) { Array.new(20) { "y" * 999 } } }).size, :<, 120_000
  end

  def test_no_method_of_the_object_is_called
    shown = brief([Loud.new, BasicObject.new, Comparable])
    assert_equal "[#<ShortInspectTest::Loud>, #<BasicObject>, Comparable]", shown
  end

  def test_nor_one_of_a_subclass_of_what_is_shown
    loud = Module.new do
      %i[size bytesize byteslice each each_pair to_s to_str to_a to_hash []].each do |name|
        define_method(name) { |*| raise "#{name} was called" }
      end
    end
    made = [Class.new(String).new("a"), Class.new(Array)[1], Class.new(Hash)[1, 2]]
    made.each { |object| object.singleton_class.prepend(loud) }
    assert_equal ["\"a\"", "[1]", "{1 => 2}"], (made.map { |object| brief(object) })
    assert_equal "{#{(0..7).map { |n| "#{n} => 0" }.join(", ")}, ...}", brief((0..9).to_h { |n| [n, 0] })
  end

  def test_invalid_bytes_are_replaced
    assert_equal "a\uFFFD".inspect, brief("a\xff")
    assert_predicate brief("\xff\xfe".b), :valid_encoding?
  end
end
