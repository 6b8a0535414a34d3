# frozen_string_literal: true

module Cdc
  # One row change or truncate as it came over the wire: the item that {DecodeChange} decodes. Frozen and shareable.
  class Message
    # @return [String] the bytes of the message, frozen, as in version 1 of the protocol, without the newline that
    #   pg_recvlogical adds
    attr_reader :payload
    # @return [Integer, Array<Integer>, nil] number of the table's description that was current here (key of
    #   {Recording#relations}); for a truncate one per table; nil if the stream never described the table
    attr_reader :schema
    # @return [Integer, nil] the transaction it belongs to
    attr_reader :xid
    # @return [Integer] where in the stream it begins, in bytes
    attr_reader :offset

    def initialize(payload, schema, xid, offset)
      @payload = payload.frozen? ? payload : payload.dup.freeze
      @schema = schema
      @xid = xid
      @offset = offset
      freeze
    end

    # @return [Integer] size of the payload: what this item costs, roughly
    def bytesize
      @payload.bytesize
    end

    # @return [Run] with nothing but this message
    def to_run
      first = @payload.getbyte(0) == 84 ? 6 : 1
      schemas = Array(@schema).each_with_index.to_h do |schema, index|
        [Layout.uint32(@payload, first + (4 * index)), schema]
      end
      Run.new(@payload, @offset, schemas, false, @xid)
    end
  end
end
