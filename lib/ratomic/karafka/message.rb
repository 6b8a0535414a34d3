# frozen_string_literal: true

module Ratomic
  module Karafka
    # A deserializer gets this instead of a message, because the message itself cannot cross to a worker. Frozen and
    # shareable.
    class Message
      # @return [String, nil] frozen; nil for a tombstone
      attr_reader :raw_payload

      # @param raw_payload [String, nil]
      def initialize(raw_payload)
        @raw_payload = raw_payload
        freeze
      end
    end
  end
end
