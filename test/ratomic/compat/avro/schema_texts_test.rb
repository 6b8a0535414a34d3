# frozen_string_literal: true

require "test_helper"
require "ratomic/compat/avro/decode_avro"
require "ratomic/compat/avro/schema_texts"

class SchemaTextsTest < Minitest::Test
  Texts = Ratomic::Compat::Avro::SchemaTexts
  SchemaError = Ratomic::Workers::DecodeAvro::SchemaError

  # A registry that has schemas up to 9, counts, and can be out of order.
  class Registry
    attr_reader :asked, :broken

    def initialize
      @asked = Ratomic::Counter.new
      @broken = Ratomic::Counter.new
      freeze
    end

    def call(id)
      @asked.increment
      raise IOError, "the registry does not answer" if @broken.value.positive?

      "\"text #{id}\"" if id < 10
    end
  end

  def test_a_hash_gives_the_texts
    texts = Texts.new({ 1 => "one", 300 => "three" })
    assert_equal "three", texts[300]
    assert_equal [1, 300], texts.ids.sort
    error = assert_raises(SchemaError) { texts[2] }
    assert_equal "there is no schema 2, only 1, 300", error.message
  end

  def test_a_callable_is_called_once_for_each_schema
    registry = Registry.new
    texts = Texts.new(registry)
    assert_empty texts.ids
    3.times { assert_equal '"text 4"', texts[4] }
    assert_equal 1, registry.asked.value
    assert_equal [4], texts.ids
  end

  def test_a_callable_that_returned_nil_is_called_again
    registry = Registry.new
    texts = Texts.new(registry)
    2.times do
      error = assert_raises(SchemaError) { texts[10] }
      assert_equal "there is no schema 10: SchemaTextsTest::Registry returned nil", error.message
    end
    assert_equal 2, registry.asked.value
  end

  def test_an_error_of_the_callable_is_raised_and_it_is_called_again
    registry = Registry.new
    texts = Texts.new(registry)
    registry.broken.increment
    assert_raises(IOError) { texts[4] }
    registry.broken.reset
    assert_equal '"text 4"', texts[4]
  end

  def test_ractors_share_texts_that_were_found
    skip_without_ractors
    registry = Registry.new
    texts = Texts.new(registry)
    ractors = Array.new(2) { Ractor.new(texts) { |shared| (0..9).map { |id| shared[id] } } }
    assert_equal [(0..9).map { |id| "\"text #{id}\"" }] * 2, within(20) { ractors.map(&:value) }
    assert_equal 10, registry.asked.value
  end

  def test_other_sources_are_refused
    assert_raises(TypeError) { Texts.new(nil) }
    assert_raises(TypeError) { Texts.new({ "1" => "text" }) }
    assert_raises(TypeError) { Texts.new({ 1 => { "type" => "string" } }) }
    texts = Texts.new(->(_id) { 5 })
    error = assert_raises(TypeError) { texts[1] }
    assert_equal "schema 1 must be a String, not an instance of Integer", error.message
  end
end
