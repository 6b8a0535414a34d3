# frozen_string_literal: true

module Ratomic
  module Compat
    module Avro
      # The CRC-64-AVRO fingerprint of a schema without the class variable that the library keeps its table in.
      module Fingerprint
        EMPTY = ::Avro::Schema::CRC_EMPTY
        TABLE = Array.new(256) do |byte|
          8.times.inject(byte) { |bits, _| (bits >> 1) ^ (EMPTY & -(bits & 1)) }
        end.freeze

        # @return [Integer]
        def crc_64_avro_fingerprint
          return super if Ractor.main?

          ::Avro::SchemaNormalization.to_parsing_form(self).each_byte.inject(EMPTY) do |bits, byte|
            (bits >> 8) ^ TABLE[(bits ^ byte) & 0xff]
          end
        end
      end
    end
  end
end
