# frozen_string_literal: true

module Ratomic
  module Compat
    module Avro
      # The bytes of one message, as Avro's BinaryDecoder reads them. An IO gives fewer bytes at its end than were asked
      # for, and the decoder would take them; here that raises.
      class Payload
        # The payload ends before the datum does.
        class Truncated < StandardError; end

        # @return [Integer] the place of the next byte
        attr_reader :tell

        # @param bytes [String]
        # @param from [Integer] the first byte to read
        def initialize(bytes, from = 0)
          @bytes = bytes
          @tell = from
        end

        # @return [Integer]
        # @raise [Truncated]
        def readbyte
          byte = @bytes.getbyte(@tell) or raise(Truncated, "it ends after #{@bytes.bytesize} bytes")
          @tell += 1
          byte
        end

        # Reads an int or long: a variable-length number, seven bits per byte, lowest first, in zigzag encoding.
        # @return [Integer]
        # @raise [Truncated]
        def read_long
          number = shift = 0
          place = @tell
          while (byte = @bytes.getbyte(place))
            place += 1
            number |= (byte & 127) << shift
            if byte < 128
              @tell = place
              return (number >> 1) ^ -(number & 1)
            end
            shift += 7
          end
          raise Truncated, "it ends after #{@bytes.bytesize} bytes"
        end

        # @param count [Integer]
        # @return [String] not frozen, binary
        # @raise [Truncated]
        def read(count)
          from = @tell
          seek(from + count)
          @bytes.byteslice(from, count).force_encoding(Encoding::BINARY)
        end

        # @param place [Integer] not before the one where it is
        # @return [void]
        # @raise [Truncated]
        def seek(place)
          raise Truncated, "a length is negative" if place < @tell

          if place > @bytes.bytesize
            raise Truncated,
                  "it ends after #{@bytes.bytesize} bytes, but #{place - @tell} more are expected after byte #{@tell}"
          end

          @tell = place
        end
      end
    end
  end
end
