# frozen_string_literal: true

require "json"

module Ratomic
  module Workers
    # A ready-made callable: parses JSON documents. The json gem freezes what it makes while it makes it, so the results
    # need no second walk to become shareable.
    #
    #   Ratomic::Workers.dispatch_async(payloads, Ratomic::Workers::ParseJSON)
    module ParseJSON
      OPTIONS = { freeze: true }.freeze
      private_constant :OPTIONS

      # @param document [String]
      # @return [Object] frozen
      # @raise [JSON::ParserError] for a malformed document
      def self.call(document)
        JSON.parse(document, OPTIONS)
      end
    end
  end
end
