# frozen_string_literal: true

require "test_helper"

class ParseJSONTest < Minitest::Test
  Parse = Ratomic::Workers::ParseJSON

  def test_what_it_parses_is_frozen_all_the_way
    document = Parse.call('{"a": [1, 2.5, "text", null, true], "b": {}}')
    assert_equal({ "a" => [1, 2.5, "text", nil, true], "b" => {} }, document)
    assert Ractor.shareable?(document)
  end

  def test_what_is_nested_as_deeply_as_the_parser_allows_is_frozen_too
    document = Parse.call(("[" * 100) + ("]" * 100))
    assert Ractor.shareable?(document)
  end

  def test_a_malformed_document_raises
    assert_raises(JSON::ParserError) { Parse.call('{"a": ') }
  end

  def test_it_runs_in_a_pool
    pool = Ratomic::Workers::Pool.new(size: 2, min_batch: 0)
    documents = Array.new(200) { |i| i == 77 ? "[1," : "[#{i}]" }
    results = pool.dispatch_async(documents, Parse).value(timeout: 10)
    assert_equal "JSON::ParserError", results[77].exception_class
    assert_equal (0...200).map { |i| [i] } - [[77]], results - [results[77]]
  ensure
    pool.kill
  end
end
