# frozen_string_literal: true

require "json"

module Ratomic
  module Workers
    # A ready-made callable: parses JSON documents into frozen data.
    #
    #   Ratomic::Workers.dispatch_async(payloads, Ratomic::Workers::ParseJSON)
    #
    # A payload that is nil (the tombstone of a Kafka topic) has no document, and is nil. If an object has the same key
    # twice, the json gem decides, because no option is passed to it: the last value counts (with a warning, if Ruby's
    # deprecation warnings are on), and from its version 3.0 on the document is malformed.
    #
    # The json gem can freeze by itself. But then it looks up every string of every document in the VM's table of unique
    # strings, which all Ractors share. To freeze the data afterwards ({Sharing}) takes half as long.
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
