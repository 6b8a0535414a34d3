# frozen_string_literal: true

require "json"

module Events
  # Ways in which a document goes bad between its sender and us. Half of them break the JSON, half of them the rules.
  module Damage
    KINDS = %i[truncated raw_control_character stray_comma
               wrong_type missing_key wrong_sum unknown_type bad_time].freeze

    # @param json [String] a good document
    # @param kind [Symbol] one of KINDS
    # @return [String] the same document, bad, frozen
    def self.call(json, kind, random)
      (syntax(json, kind, random) || rule(json, kind)).freeze
    end

    def self.syntax(json, kind, random)
      case kind
      when :truncated then json.byteslice(0, random.rand(json.bytesize / 4..json.bytesize * 3 / 4)).scrub("")
      when :raw_control_character then json.sub('"source":"', "\"source\":\"\\\t")
      when :stray_comma then json.sub('"data":{', '"data":{,')
      end
    end
    private_class_method :syntax

    def self.rule(json, kind)
      event = JSON.parse(json)
      case kind
      when :wrong_type then spoil_number(event["data"], &:to_s)
      when :missing_key then event.delete("source")
      when :wrong_sum then spoil_number(event["data"]) { |number| number + 1 }
      when :unknown_type then event["type"] = "greeting"
      when :bad_time then event["occurred_at"] = "yesterday"
      end
      JSON.generate(event)
    end
    private_class_method :rule

    # The number that each type's rules sum up or compare.
    def self.spoil_number(data)
      summary = data["sensors"] && data["sensors"].last["summary"]
      return summary.update("count" => yield(summary["count"])) if summary

      key = %w[closing_cents total_cents amount_cents].find { |name| data.key?(name) }
      data.update(key => yield(data[key]))
    end
    private_class_method :spoil_number
  end
end
