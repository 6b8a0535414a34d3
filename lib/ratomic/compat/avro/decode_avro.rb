# frozen_string_literal: true

module Ratomic
  module Workers
    # A ready-made callable: decodes Avro messages in Confluent's wire format (a zero byte, the id of the schema in four
    # bytes, big-endian, and the datum in Avro's binary encoding). Loaded by +require "ratomic/compat/avro"+.
    #
    #   ORDERS = Ratomic::Workers::DecodeAvro.new({ 7 => File.read("order.avsc") })
    #   Ratomic::Workers.dispatch_async(payloads, ORDERS)
    #
    # The result is what Apache's +Avro::IO::DatumReader+ returns, with the schema that the message was written with: a
    # record is a Hash. For a payload that is nil (a tombstone of a Kafka topic) the result is nil. Bytes after the
    # datum are ignored, as by other deserializers.
    #
    # Each worker parses a schema once. Frozen, and shareable where the callable that gives schemas is. Make it once and
    # keep it.
    class DecodeAvro
      # There is no schema with the id of the message, or it is malformed.
      class SchemaError < Ratomic::Error; end

      # The payload is not in Confluent's wire format, or is truncated, or does not fit its schema.
      class PayloadError < Ratomic::Error; end

      # @param schemas [Hash{Integer => String}, #call] schemas as JSON by their ids; or a callable that takes an id and
      #   returns the JSON, nil if there is none. It is called where the message is decoded, so in a worker, once for
      #   each id in a process. What it raises is the Failure of the item, and the next item with this id calls it again
      # @raise [TypeError] for anything else
      # @raise [SchemaError] one of the Hash is malformed
      # @raise [CallableError] the callable is not shareable (and there are Ractors)
      def initialize(schemas)
        texts = Compat::Avro::SchemaTexts.new(schemas)
        texts.ids.each { |id| Compat::Avro::Decoder.new(texts).schema(id) }
        @decoders = Workers.per_worker(Compat::Avro::Decoder::Factory.new(texts).freeze, call: :decode)
        freeze
      end

      # @param payload [String, nil]
      # @return [Object] what the datum is; of a dispatch it is frozen
      # @raise [PayloadError, SchemaError]
      # @raise [TypeError] the payload is neither a String nor nil
      def call(payload)
        @decoders.call(payload)
      end
    end
  end
end
