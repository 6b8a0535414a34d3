# frozen_string_literal: true

require "ratomic"
require_relative "parse_event"

module Events
  # The work of a consumer that needs only few of the events of a topic, in stages:
  #
  #   Ratomic::Workers.dispatch_async(documents, Events::PIPELINE).value    # for each large payment who paid what
  module Stages
    # JSON text in, a Hash out; nothing for a tombstone.
    module Parse
      # @return [Hash]
      # @raise [Invalid]
      def self.call(json)
        json.nil? ? Ratomic::Workers::DROPPED : ParseEvent.parse(json)
      end
    end

    # An event that breaks no rule.
    module Validate
      # @return [Hash] the same
      # @raise [Invalid]
      def self.call(event)
        ParseEvent.validate(event)
      end
    end

    # Payments that are large enough to be looked at.
    module KeepLarge
      CENTS = 240_000

      # @return [Hash] the same
      def self.call(event)
        large = event["type"] == "payment" && event["data"]["amount_cents"] >= CENTS
        large ? event : Ratomic::Workers::DROPPED
      end
    end

    # The fields of a payment that are needed.
    module Project
      # @return [Array(String, Integer, String)] id, amount in cents, currency
      def self.call(event)
        data = event["data"]
        [event["id"], data["amount_cents"], data["currency"]]
      end
    end

    # The same by hand, as one would write it without a pipeline: the yardstick of the demo.
    module ByHand
      def self.call(json)
        return Ratomic::Workers::DROPPED if json.nil?

        event = ParseEvent.validate(ParseEvent.parse(json))
        data = event["data"]
        return Ratomic::Workers::DROPPED unless event["type"] == "payment" && data["amount_cents"] >= KeepLarge::CENTS

        [event["id"], data["amount_cents"], data["currency"]]
      end
    end
  end

  PIPELINE = Ratomic::Workers.pipeline(Stages::Parse, Stages::Validate, Stages::KeepLarge, Stages::Project)
end
