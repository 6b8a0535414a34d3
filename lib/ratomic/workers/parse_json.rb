# frozen_string_literal: true

require "json"

module Ratomic
  module Workers
    # A ready-made callable: parses JSON documents into frozen data.
    #
    #   Ratomic::Workers.dispatch_async(payloads, Ratomic::Workers::ParseJSON)
    #
    # A payload that is nil (the tombstone of a Kafka topic) has no document, and is nil. Of a key that stands twice in
    # one object the last value counts, silently or with Ruby's deprecation warnings on with a warning, or the document
    # is malformed: that is for the json gem to say, which raises from version 3.0 on. No option is passed to it.
    #
    # The json gem can freeze by itself, and then looks up every string of every document in the VM's table of unique
    # strings, which all Ractors have in common. To freeze afterwards ({Sharing}) takes half as long.
    module ParseJSON
      # @param document [String, nil]
      # @return [Object] frozen; nil for nil
      # @raise [JSON::ParserError] for a malformed document, also for an empty String
      def self.call(document)
        return if document.nil?

        parsed = JSON.parse(document)
        Sharing.deep_freeze(parsed) ? parsed : Ractor.make_shareable(parsed)
      end
    end
  end
end
