# frozen_string_literal: true

require "test_helper"

class ValueObjectTest < Minitest::Test
  class Named
    include Ratomic.const_get(:ValueObject)

    def initialize(name)
      @name = name
    end

    def to_h
      { name: @name }
    end

    def to_s
      "named #{@name}"
    end
  end

  def test_two_with_the_same_content_are_equal_and_one_key_of_a_hash
    assert_equal Named.new("a"), Named.new("a")
    assert_equal 1, { Named.new("a") => 1 }[Named.new("a")]
    assert_operator Named.new("a"), :eql?, Named.new("a")
    assert_equal Named.new("a").hash, Named.new("a").hash
  end

  def test_other_content_and_other_classes_are_not_equal
    refute_equal Named.new("a"), Named.new("b")
    refute_equal Named.new("a"), Class.new(Named).new("a")
    refute_equal Named.new("a"), { name: "a" }
    refute_equal Named.new("a"), nil
  end

  def test_inspect_shows_the_class_and_the_words
    assert_equal "#<ValueObjectTest::Named named a>", Named.new("a").inspect
  end

  def test_failures_and_error_records_are_value_objects
    error = KeyError.new("lost")
    records = Array.new(2) { Ratomic::ErrorRecord.of(error) }
    failures = Array.new(2) { Ratomic::Workers::Failure.from(error, 1) }
    [records, failures].each { |pair| assert_equal [true, 1], [pair[0] == pair[1], pair.uniq.size] }
    refute_equal records[0], failures[0]
  end
end
