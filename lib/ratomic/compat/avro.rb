# frozen_string_literal: true

require "ratomic"
require "avro"
require_relative "avro/constants"
require_relative "avro/settings"
require_relative "avro/json"
require_relative "avro/fingerprint"
require_relative "avro/payload"
require_relative "avro/schema_texts"
require_relative "avro/reader"
require_relative "avro/binary_decoder"
require_relative "avro/decoder"
require_relative "avro/decode_avro"

module Ratomic
  # Makes libraries of others usable in workers that are Ractors. Each part is loaded by itself, never by
  # +require "ratomic"+.
  module Compat
    # Apache's +avro+: schemas, and what encodes and decodes by them (+Avro::IO+). After
    # +require "ratomic/compat/avro"+ in the main Ractor they do in every Ractor what they do there.
    #
    # For that its {Constants} are frozen all the way, and in other Ractors than the main one {Settings} are read and
    # not stored, {JSON} takes the place of MultiJson, and a {Fingerprint} needs no class variable. In the main Ractor
    # the library's own code runs as before. Data files and RPC (+Avro::DataFile+, +Avro::IPC+) are left alone.
    module Avro
      # Called when this file is loaded; on a Ruby without Ractors there is nothing to do.
      # @return [void]
      # @raise [Ractor::IsolationError] elsewhere than in the main Ractor
      def self.install
        return unless RACTORS

        Constants.freeze_all
        ::Avro.singleton_class.prepend(Settings)
        ::Avro::Schema.prepend(Fingerprint)
        ::MultiJson.singleton_class.prepend(JSON) if defined?(::MultiJson)
      end

      install
    end
  end
end
