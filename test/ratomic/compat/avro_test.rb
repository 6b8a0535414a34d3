# frozen_string_literal: true

require "test_helper"
require "support/avro_library"
require "support/avro_documents"

# Apache's library in Ractors, and in the rest of the process.
class CompatAvroTest < Minitest::Test
  include AvroLibrary
  include AvroDocuments

  def setup
    need_avro
  end

  def test_a_ractor_parses_a_schema_and_computes_its_fingerprints
    skip_without_ractors
    there = in_ractor(SCHEMAS[7]) do |text|
      schema = Avro::Schema.parse(text)
      [schema.to_s, schema.crc_64_avro_fingerprint, schema.md5_fingerprint, schema.sha256_fingerprint]
    end
    here = schema(7)
    assert_equal [here.to_s, here.crc_64_avro_fingerprint, here.md5_fingerprint, here.sha256_fingerprint], there
  end

  def test_a_ractor_encodes_and_decodes
    skip_without_ractors
    datum = orders(1).first
    bytes, found = in_ractor(SCHEMAS[7], datum) do |text, order|
      schema = Avro::Schema.parse(text)
      out = StringIO.new(String.new)
      Avro::IO::DatumWriter.new(schema).write(order, Avro::IO::BinaryEncoder.new(out))
      [out.string, Avro::IO::DatumReader.new(schema).read(Avro::IO::BinaryDecoder.new(StringIO.new(out.string)))]
    end
    assert_equal encode(7, datum)[5..], bytes
    assert_equal datum, found
  end

  def test_a_ractor_resolves_schemas_and_reports_mismatches
    skip_without_ractors
    found, error = in_ractor do
      writer = Avro::Schema.parse('{"type":"record","name":"A","fields":[{"name":"old","type":"int"}]}')
      reader = Avro::Schema.parse('{"type":"record","name":"A","fields":' \
                                  '[{"name":"new","type":"long","aliases":["old"]}]}')
      bytes = ->(*) { Avro::IO::BinaryDecoder.new(StringIO.new("\x54")) }
      other = Avro::Schema.parse('"string"')
      message = begin
        Avro::IO::DatumReader.new(writer, other).read(bytes.call)
      rescue Avro::IO::SchemaMatchException => e
        e.message
      end
      [[Avro::IO::DatumReader.new(writer, reader).read(bytes.call), reader.read?(writer)], message]
    end
    assert_equal [{ "new" => 42 }, true], found
    assert_match(/Writer's schema \{"type":"record".* do not match/, error)
  end

  def test_global_settings_apply_in_a_ractor
    skip_without_ractors
    text = '{"type":"enum","name":"E","symbols":["a-b"]}'
    parse = proc do |schema|
      Avro::Schema.parse(schema).symbols
    rescue Avro::SchemaParseError => e
      e.message
    end
    assert_match(/\AInvalid symbols for E: a-b/, in_ractor(text, &parse))
    Avro.disable_enum_symbol_validation = true
    assert_equal ["a-b"], in_ractor(text, &parse)
  ensure
    Avro.disable_enum_symbol_validation = false unless AvroLibrary.missing
  end

  def test_constants_keep_their_identity_and_content
    skip_without_ractors
    out = ruby!(<<~RUBY, seconds: 120, env: { "RUBYLIB" => $LOAD_PATH.join(":") })
      require "avro"
      before = Avro::Schema.constants.to_h { |name| [name, Avro::Schema.const_get(name)] }
      copies = before.transform_values { |value| value.dup rescue value }
      require "ratomic/compat/avro"
      same = before.all? { |name, value| Avro::Schema.const_get(name).equal?(value) }
      equal = copies.all? { |name, copy| Module === copy || Avro::Schema.const_get(name) == copy }
      puts same && equal, Ractor.shareable?(Avro::Schema::VALID_TYPES), Avro::IPC::META_SCHEMA.frozen?
    RUBY
    assert_equal "true\ntrue\nfalse\n", out
  end

  # What the library keeps for later is left to it: data files still work.
  def test_data_files_work_as_before
    file = StringIO.new(String.new)
    data = orders(3)
    writer = Avro::DataFile::Writer.new(file, Avro::IO::DatumWriter.new(schema(7)), schema(7))
    data.each { |datum| writer << datum }
    writer.flush
    file.rewind
    assert_equal data, Avro::DataFile::Reader.new(file, Avro::IO::DatumReader.new).to_a
  end
end
