# frozen_string_literal: true

module Cdc
  # Something about a transaction that a reader of the stream has to know, although no byte of it is broken. Frozen.
  class Notice
    TEXTS = {
      broken_off: "was broken off before its end, and is not counted: the connection was taken up again",
      repeated: "came again, and is not counted again",
      begin_lost: "has an end and no begin: its rows are counted, its id is not known",
      end_lost: "has no end, which was lost with broken bytes: its rows are counted",
      joined: "ends with the end of another: lost bytes made one of the two, and all rows are counted",
      block_lost: "is streamed, and its beginning is not in this stream: it is not complete",
      prepared_before: "was prepared before this stream begins: its rows are not in it",
      still_open: "is streamed, and neither committed nor undone where the stream ends: it is not counted",
      still_prepared: "is prepared, and neither committed nor rolled back where the stream ends: it is not counted"
    }.freeze

    # Kinds that tell of bytes that are missing.
    DAMAGE = %i[begin_lost end_lost joined block_lost].freeze

    # @return [Symbol] one of TEXTS
    attr_reader :kind
    # @return [Integer, nil] the transaction
    attr_reader :xid
    # @return [Integer] where in the stream it began
    attr_reader :offset

    def initialize(kind, xid, offset)
      @kind = kind
      @xid = xid
      @offset = offset
      freeze
    end

    # @return [Boolean] whether something of the stream is missing
    def damage?
      DAMAGE.include?(@kind)
    end

    # @return [String] one line
    def to_s
      "transaction #{@xid || 'without id'} at byte #{@offset} #{TEXTS.fetch(@kind)}"
    end
  end
end
