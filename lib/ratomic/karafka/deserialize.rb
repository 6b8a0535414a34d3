# frozen_string_literal: true

module Ratomic
  module Karafka
    # The callable: a raw payload in, a payload out. Frozen and shareable.
    class Deserialize
      # @param deserializer [#call] gets an object with +raw_payload+. One that is not shareable is copied.
      # @param message [Class] of that object
      # @raise [ShareableError] if no shareable copy of the deserializer can be made
      def initialize(deserializer, message)
        @deserializer = shareable(deserializer)
        @message = message
        freeze
      end

      # @param payload [String, nil] frozen
      # @return [Object]
      def call(payload)
        @deserializer.call(@message.new(payload))
      end

      private

      def shareable(deserializer)
        FrozenCopy.of(deserializer)
      rescue StandardError => e
        reason = Workers::UnshareablePart.describe(deserializer, e)
        raise ShareableError, "the deserializer #{deserializer.class} cannot be shared with workers: #{reason}"
      end
    end
  end
end
