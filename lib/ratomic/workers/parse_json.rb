# frozen_string_literal: true

require "json"

module Ratomic
  module Workers
    # A ready-made callable: parses JSON documents into frozen data.
    #
    #   Ratomic::Workers.dispatch_async(payloads, Ratomic::Workers::ParseJSON)
    #
    # The json gem can freeze by itself, and then looks up every string of every document in the VM's table of unique
    # strings, which all Ractors have in common. To freeze afterwards ({Sharing}) takes half as long.
    module ParseJSON
      # @param document [String]
      # @return [Object] frozen
      # @raise [JSON::ParserError] for a malformed document
      def self.call(document)
        parsed = JSON.parse(document)
        Sharing.deep_freeze(parsed) ? parsed : Ractor.make_shareable(parsed)
      end
    end
  end
end
