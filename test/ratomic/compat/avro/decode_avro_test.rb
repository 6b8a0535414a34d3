# frozen_string_literal: true

require "test_helper"
require "support/avro_library"
require "support/avro_documents"

# What is true of DecodeAvro on every backend, compared with the library's own reader in this thread.
module DecodeAvroContract
  include AvroLibrary
  include AvroDocuments

  def setup
    need_avro
    @pool = Ratomic::Workers::Pool.new(size: 2, backend: backend, min_batch: 0)
    @decode = Ratomic::Workers::DecodeAvro.new(AvroDocuments::SCHEMAS)
  end

  def teardown
    @pool&.kill
  end

  def results(messages, callable = @decode, **options)
    within(60) { @pool.dispatch_async(messages, callable, **options).value(timeout: 50) }
  end

  def assert_failures(kind, messages, callable = @decode)
    failures = results(messages.keys, callable)
    assert_equal [kind.name], failures.map(&:exception_class).uniq
    messages.values.zip(failures) { |pattern, failure| assert_match(pattern, failure.message) }
  end

  def test_it_decodes_the_same_as_the_reader_of_the_avro_gem
    orders = orders(200)
    messages = orders.map { |order| encode(7, order) } + ["", "text", "\u{1f4e6}"].map { |text| encode(70_000, text) } +
               [nil, [], [1.5, -2.25]].map { |list| encode(8, list) }
    found = results(messages)
    assert_equal messages.map { |message| decode(message) }, found
    assert_equal orders.map { |order| order["price"] }, found.first(200).map { |order| order["price"] }
    assert(found.all? { |datum| Ractor.shareable?(datum) })
  end

  def test_messages_written_by_another_library_are_decoded
    schemas, payloads, data = topic
    assert_equal [24, 3], [payloads.size, payloads.count(nil)]
    assert_equal data, results(payloads, Ratomic::Workers::DecodeAvro.new(schemas))
  end

  def test_a_tombstone_is_nil_and_bytes_after_the_datum_are_ignored
    assert_equal [nil, "text"], results([nil, "#{encode(70_000, "text")}more"])
  end

  def test_a_message_with_an_unknown_schema_fails
    assert_failures Ratomic::Workers::DecodeAvro::SchemaError,
                    { [0, 9].pack("CN") => /\Athere is no schema 9, only 7, 8, 70000\z/ }
  end

  def test_a_payload_in_another_format_fails
    assert_failures Ratomic::Workers::DecodeAvro::PayloadError,
                    { '{"id": 1}' => /\Athe first byte is 123, and not the 0 that/,
                      "" => /\Athe payload has 0 bytes, and the header alone has 5/,
                      "\0\0\0\0" => /\Athe payload has 4 bytes/ }
  end

  # Cut everywhere, and never taken for a shorter datum.
  def test_truncated_data_fail
    whole = encode(7, orders(1).first)
    cut = (5...whole.bytesize).to_h do |size|
      [whole[0, size], /\Athe payload is truncated \(schema 7\): it ends after #{size} bytes/]
    end
    assert_failures Ratomic::Workers::DecodeAvro::PayloadError, cut
  end

  def test_data_that_do_not_match_their_schema_fail
    assert_failures Ratomic::Workers::DecodeAvro::PayloadError,
                    { [0, 8, 8].pack("CNC") => /\Athe 6 bytes do not match schema 8: /, # the fifth of two
                      [0, 70_000, 1].pack("CNC") => /truncated \(schema 70000\): a length is negative/ }
  end

  def test_a_payload_that_is_no_string_fails
    assert_failures TypeError, { 5 => /\Aa payload must be a String, not an instance of Integer\z/ }
  end

  def test_a_malformed_schema_is_reported
    decode = Ratomic::Workers::DecodeAvro.new(Ractor.make_shareable(Malformed))
    told = { [0, 1].pack("CN") => /\Aschema 1 is not a valid Avro schema: /,
             [0, 2].pack("CN") => /\Aschema 2 is not a valid Avro schema: .*"nonsense"/ }
    assert_failures Ratomic::Workers::DecodeAvro::SchemaError, told, decode
  end

  # One schema is no JSON, the other one no schema.
  module Malformed
    def self.call(id)
      id == 1 ? "{" : '{"type": "record", "name": "A", "fields": [{"name": "b", "type": "nonsense"}]}'
    end
  end

  def test_an_item_that_fails_does_not_affect_others
    good = encode(70_000, "good")
    found = results([good, good[0..-2], good, "x", good])
    assert_equal ["good"] * 3, found.values_at(0, 2, 4)
  end

  def test_results_can_be_owned
    found = results([encode(8, [1.0])], results: :owned)
    found.first << 2.0
    assert_equal [1.0, 2.0], found.first
  end
end

# Where all workers are in one process: in several, each asks for itself.
module DecodeAvroByCallable
  # Gives the schemas, but not at first.
  class Registry
    attr_reader :asked

    def initialize
      @asked = Ratomic::Counter.new
      freeze
    end

    def call(id)
      raise IOError, "not yet" if @asked.increment == 1

      AvroDocuments::SCHEMAS[id]
    end
  end

  def test_a_callable_gives_the_schemas
    registry = Registry.new
    decode = Ratomic::Workers::DecodeAvro.new(registry)
    message = encode(70_000, "text")
    failure = results([message], decode).first
    assert_equal "IOError: not yet", "#{failure.exception_class}: #{failure.message}"
    assert_equal ["text"] * 50, results([message] * 50, decode)
    assert_equal 2, registry.asked.value
  end
end

class DecodeAvroOnRactorsTest < Minitest::Test
  include DecodeAvroContract
  include DecodeAvroByCallable

  def setup
    skip_without_ractors
    super
  end

  def backend
    :ractor
  end

  def test_a_callable_that_cannot_be_shared_is_refused
    registry = Class.new { def call(_id) = @texts }.new
    assert_raises(Ratomic::Workers::CallableError) { Ratomic::Workers::DecodeAvro.new(registry) }
  end
end

class DecodeAvroOnThreadsTest < Minitest::Test
  include DecodeAvroContract
  include DecodeAvroByCallable

  def backend
    :thread
  end
end

class DecodeAvroInlineTest < Minitest::Test
  include DecodeAvroContract
  include DecodeAvroByCallable

  def backend
    :inline
  end
end

class DecodeAvroInProcessesTest < Minitest::Test
  include DecodeAvroContract

  def backend
    :process
  end
end

class DecodeAvroTest < Minitest::Test
  include AvroLibrary
  include AvroDocuments

  def setup
    need_avro
  end

  def test_it_is_frozen_and_shareable
    assert_predicate Ratomic::Workers::DecodeAvro.new(SCHEMAS), :frozen?
    skip_without_ractors
    assert Ractor.shareable?(Ratomic::Workers::DecodeAvro.new(SCHEMAS))
  end

  def test_a_caller_may_run_small_dispatches_itself
    decode = Ratomic::Workers::DecodeAvro.new(SCHEMAS)
    assert_equal "text", decode.call(encode(70_000, "text"))
    messages = orders(5).map { |order| encode(7, order) }
    expected = messages.map { |message| decode(message) }
    found = Array.new(30) { Ratomic::Workers.dispatch_async(messages, decode).value(timeout: 20) }
    assert_equal [expected], found.uniq
  end

  def test_a_malformed_schema_of_the_hash_is_refused_at_once
    error = assert_raises(Ratomic::Workers::DecodeAvro::SchemaError) { Ratomic::Workers::DecodeAvro.new({ 5 => "{}" }) }
    assert_match(/\Aschema 5 is not a valid Avro schema: No "type" property/, error.message)
  end
end
