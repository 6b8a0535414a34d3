# frozen_string_literal: true

module Ratomic
  module Compat
    module Avro
      # Decodes the messages of one worker and caches the parsed schemas. Not thread-safe.
      class Decoder
        # Creates a {Decoder} for each worker. Frozen; shareable if the {SchemaTexts} are.
        Factory = Struct.new(:texts) do
          # @return [Decoder]
          def call
            Decoder.new(texts)
          end
        end

        MAGIC = 0
        HEADER_BYTES = 5 # the magic byte, and the id of the schema
        # What the library raises for bytes that do not fit their schema, besides errors of its own.
        MALFORMED = [::Avro::AvroError, Payload::Truncated, NoMethodError, TypeError, ArgumentError, RangeError].freeze

        # @param texts [SchemaTexts]
        def initialize(texts)
          @texts = texts
          @readers = {}
        end

        # @param payload [String, nil]
        # @return [Object]
        # @raise (see Workers::DecodeAvro#call)
        def decode(payload)
          return if payload.nil?

          id = schema_id(payload)
          reader = @readers[id] ||= reader(id)
          begin
            reader.read(BinaryDecoder.new(Payload.new(payload, HEADER_BYTES)))
          rescue *MALFORMED => e
            raise Workers::DecodeAvro::PayloadError, malformed(payload, id, e)
          end
        end

        # @param id [Integer]
        # @return [::Avro::Schema]
        # @raise [Workers::DecodeAvro::SchemaError]
        def schema(id)
          text = @texts[id]
          begin
            ::Avro::Schema.real_parse(::JSON.parse(text), {})
          rescue ::Avro::AvroError, ::JSON::ParserError => e
            raise Workers::DecodeAvro::SchemaError, "schema #{id} is not a valid Avro schema: #{e.message}"
          end
        end

        private

        # Only schemas with dates, times or decimals need a {Reader}, which takes a tenth more time.
        def reader(id)
          (@texts[id].include?("logicalType") ? Reader : ::Avro::IO::DatumReader).new(schema(id))
        end

        def schema_id(payload)
          unless String === payload
            raise TypeError, "a payload must be a String, not an instance of #{Reflection.class_name_of(payload)}"
          end

          magic = payload.getbyte(0)
          if magic && magic != MAGIC
            raise Workers::DecodeAvro::PayloadError,
                  "the first byte is #{magic}, and not the #{MAGIC} that Confluent's format begins with"
          end
          if payload.bytesize < HEADER_BYTES
            raise Workers::DecodeAvro::PayloadError,
                  "the payload has #{payload.bytesize} bytes, and the header alone has #{HEADER_BYTES}"
          end

          payload.byteslice(1, 4).unpack1("N")
        end

        def malformed(payload, id, error)
          return "the payload is truncated (schema #{id}): #{error.message}" if Payload::Truncated === error

          "the #{payload.bytesize} bytes do not match schema #{id}: #{error.message}"
        end
      end
    end
  end
end
