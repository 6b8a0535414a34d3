# frozen_string_literal: true

module Ratomic
  module Compat
    module Avro
      # The library's decoder, but the {Payload} reads the numbers. Most bytes of a message belong to numbers, and this
      # saves two calls for each number.
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
