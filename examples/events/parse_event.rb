# frozen_string_literal: true

require "json"
require_relative "invalid"
require_relative "check"
require_relative "rules/payment"
require_relative "rules/order"
require_relative "rules/telemetry"
require_relative "rules/statement"

module Events
  # The callable: JSON text in, frozen and validated event out. Shareable, as every module is.
  module ParseEvent
    # Every String, Array and Hash is frozen as it is made, so the event can leave its worker without a second walk.
    # A constant, passed by splat, and no keyword argument: this is the workers' loop.
    FROZEN = { freeze: true }.freeze
    RULES = {
      "payment" => Rules::Payment, "order" => Rules::Order,
      "telemetry" => Rules::Telemetry, "statement" => Rules::Statement
    }.freeze
    ID = /\Aevt_[0-9a-f]{16}\z/

    # @param json [String, nil] one document; nil where a topic has a tombstone in its place
    # @return [Hash, nil] the event, deeply frozen, keys are Strings; nil for nil
    # @raise [Invalid] when the text is no JSON, or the event breaks a rule. Of a key that stands twice in an object the
    #   last value counts, or the text is no JSON: that depends on the version of the json gem.
    def self.call(json)
      validate(parse(json)) unless json.nil?
    end

    # @param event [Object] a parsed document
    # @return [Hash] the same
    # @raise [Invalid]
    def self.validate(event)
      raise Invalid, "an event is a JSON object, not #{event.class}" unless event.is_a?(Hash)

      Check.match(event, "id", ID)
      begin
        check(event)
      rescue Invalid => e
        raise Invalid, "#{event['id']}: #{e.message}"
      end
      event
    end

    # @param json [String]
    # @return [Object]
    # @raise [Invalid]
    def self.parse(json)
      raise Invalid, "not JSON (#{json.bytesize} bytes): the text is not valid UTF-8" unless json.valid_encoding?

      JSON.parse(json, **FROZEN)
    rescue JSON::ParserError => e
      # Some versions of the parser quote the whole rest of the document.
      raise Invalid, "not JSON (#{json.bytesize} bytes): #{e.message.scrub.lines.first.to_s.strip[0, 90]}"
    end

    def self.check(event)
      Check.integer(event, "version", 1..1)
      Check.time(event, "occurred_at")
      Check.text(event, "source")
      RULES.fetch(Check.one_of(event, "type", RULES.keys)).call(Check.object(event, "data"))
    end
    private_class_method :check
  end
end
