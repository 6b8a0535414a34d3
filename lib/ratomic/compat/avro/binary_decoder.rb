# frozen_string_literal: true

module Ratomic
  module Compat
    module Avro
      # The library's decoder, except that {Payload} decodes int and long itself. Every length and index in a message is
      # such a number, and this saves two method calls for each.
      class BinaryDecoder < ::Avro::IO::BinaryDecoder
        # @return [Integer]
        def read_long
          @reader.read_long
        end
        alias read_int read_long
      end
    end
  end
end
