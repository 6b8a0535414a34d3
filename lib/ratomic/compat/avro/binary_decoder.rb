# frozen_string_literal: true

module Ratomic
  module Compat
    module Avro
      # The library's decoder, which lets the {Payload} read numbers by itself: most of the bytes of a message are in
      # some, and this saves two calls for each.
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
