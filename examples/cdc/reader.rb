# frozen_string_literal: true

module Cdc
  # Reads the fixed parts of a message one after another: big-endian integers and C strings, as PostgreSQL's
  # protocol has them. For the messages that come once in a while; rows have {RowReader}.
  class Reader
    # @param payload [String] one whole message
    # @param at [Integer] first byte to read
    def initialize(payload, at = 0)
      @payload = payload
      @at = at
    end

    # @return [Integer] unsigned, 8 bits
    def uint8
      @payload.getbyte(advance(1))
    end

    # @return [Integer] unsigned, 16 bits
    def uint16
      @payload.byteslice(advance(2), 2).unpack1("n")
    end

    # @return [Integer] unsigned, 32 bits
    def uint32
      @payload.byteslice(advance(4), 4).unpack1("N")
    end

    # @return [Integer] signed, 32 bits
    def int32
      @payload.byteslice(advance(4), 4).unpack1("l>")
    end

    # @return [Integer] unsigned, 64 bits
    def uint64
      @payload.byteslice(advance(8), 8).unpack1("Q>")
    end

    # @return [Integer] signed, 64 bits
    def int64
      @payload.byteslice(advance(8), 8).unpack1("q>")
    end

    # @return [String] frozen and deduplicated, UTF-8, without its closing zero
    # @raise [MalformedMessage]
    def cstring
      length = @payload.byteslice(@at..).b.index("\0") or raise MalformedMessage, "a name has no end"
      name = @payload.byteslice(advance(length + 1), length).force_encoding(Encoding::UTF_8)
      return -name if name.valid_encoding?

      raise MalformedMessage, "a name is no UTF-8: #{name.inspect} (the session needs client_encoding = UTF8)"
    end

    # @return [String] frozen bytes
    def bytes(length)
      @payload.byteslice(advance(length), length).b.freeze
    end

    private

    def advance(length)
      from = @at
      @at += length
      return from if @at <= @payload.bytesize

      raise MalformedMessage, "#{length} bytes expected, #{@payload.bytesize - from} left"
    end
  end
end
