# frozen_string_literal: true

require "json"

module Ratomic
  module Compat
    module Avro
      # The json gem in the place of MultiJson, whose adapters are kept in ways that only the main Ractor may use.
      module JSON
        # @param text [String]
        # @return [Object]
        # @raise [::JSON::ParserError] in other Ractors than the main one; there MultiJson::ParseError
        def load(text, options = {})
          return super if Ractor.main?

          ::JSON.parse(text, symbolize_names: options[:symbolize_keys] ? true : false)
        end

        # @param object [Object]
        # @return [String]
        def dump(object, options = {})
          return super if Ractor.main?

          options[:pretty] ? ::JSON.pretty_generate(object) : ::JSON.generate(object)
        end
      end
    end
  end
end
