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
  # Makes third-party libraries usable in workers that are Ractors. Each adapter has its own file to require;
  # +require "ratomic"+ loads none of them.
  module Compat
    # Apache's gem +avro+: schemas, and the encoders and decoders that use them (+Avro::IO+). After
    # +require "ratomic/compat/avro"+ in the main Ractor they work the same in every Ractor.
    #
    # To make that possible its {Constants} are frozen deeply. In Ractors other than the main one {Settings} are read
    # from the environment each time and not cached, {JSON} replaces MultiJson, and {Fingerprint} replaces a
    # computation that keeps its table in a class variable. In the main Ractor the library's own code runs as before.
    # Data files and RPC (+Avro::DataFile+, +Avro::IPC+) are left as they are.
    module Avro
      # Called when this file is loaded; on a Ruby without Ractors there is nothing to do.
      # @return [void]
      # @raise [Ractor::IsolationError] if called outside the main Ractor
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
