# frozen_string_literal: true

module Cdc
  # One row change or truncate as it came over the wire: the item that workers decode. Frozen and shareable.
  class Message
    # @return [String] the bytes of the message, frozen, without the newline that pg_recvlogical adds
    attr_reader :payload
    # @return [Integer, Array<Integer>, nil] number of the table's description that was current here (key of
    #   {Recording#relations}); for a truncate one per table; nil if the stream never described the table
    attr_reader :schema
    # @return [Integer, nil] the transaction it belongs to
    attr_reader :xid
    # @return [Integer] where in the stream it begins, in bytes
    attr_reader :offset
    # @return [String, nil] why no end of this message was found where one should be
    attr_reader :defect

    def initialize(payload, schema, xid, offset, defect = nil)
      @payload = payload.frozen? ? payload : payload.dup.freeze
      @schema = schema
      @xid = xid
      @offset = offset
      @defect = defect
      freeze
    end

    # @return [Integer] size of the payload: what this item costs, roughly
    def bytesize
      @payload.bytesize
    end
  end
end
