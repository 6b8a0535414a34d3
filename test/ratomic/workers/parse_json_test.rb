# frozen_string_literal: true

require "test_helper"

class ParseJSONTest < Minitest::Test
  Parse = Ratomic::Workers::ParseJSON

  def test_results_are_deeply_frozen
    document = Parse.call('{"a": [1, 2.5, "text", null, true], "b": {}}')
    assert_equal({ "a" => [1, 2.5, "text", nil, true], "b" => {} }, document)
    assert Ractor.shareable?(document)
  end

  def test_results_of_the_deepest_nesting_are_frozen_too
    document = Parse.call(("[" * 100) + ("]" * 100))
    assert Ractor.shareable?(document)
  end

  def test_nil_in_the_place_of_a_document_gives_nil
    assert_nil Parse.call(nil)
    pool = Ratomic::Workers::Pool.new(size: 1)
    assert_equal [[1], nil, [2]], pool.dispatch_async(["[1]", nil, "[2]"], Parse).value!(timeout: 5)
    ["", " "].each { |document| assert_raises(JSON::ParserError) { Parse.call(document) } }
  ensure
    pool&.kill
  end

  # The stand-in of json 3.0.
  def test_it_agrees_with_a_parser_that_takes_keywords_only_and_raises_for_duplicate_keys
    out = ruby!(<<~RUBY, env: { "RUBYLIB" => $LOAD_PATH.join(":") })
      require "ratomic"
      require "./examples/events/parse_event"
      module Strict
        def parse(source, **options)
          raise JSON::ParserError, "duplicate key" if source.include?('"a":1,"a":2')
          super
        end
      end
      JSON.singleton_class.prepend(Strict)
      documents = ['{"a":1,"a":2}', '{"a":1}'].freeze
      pool = Ratomic::Workers::Pool.new(size: 1, min_batch: 0)
      [Ratomic::Workers::ParseJSON, Events::ParseEvent].each do |callable|
        pool.dispatch_async(documents, callable).value(timeout: 10).each do |result|
          puts result.respond_to?(:failure?) ? result.message : result.inspect
        end
      end
    RUBY
    assert_equal ["duplicate key", { "a" => 1 }.inspect, "not JSON (13 bytes): duplicate key"],
                 out.lines(chomp: true)[0, 3]
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
