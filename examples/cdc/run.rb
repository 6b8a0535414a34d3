# frozen_string_literal: true

module Cdc
  # Row changes and truncates of one transaction that stand one behind another in the stream, as they came over the
  # wire: what workers decode. Frozen and shareable. A worker takes an Array of them ({Pipeline}), because it takes
  # longer to hand a single row over than to decode it.
  class Run
    # @return [String] the messages, a newline behind each, marked as UTF-8
    attr_reader :bytes
    # @return [Integer] where in the stream they begin
    attr_reader :offset
    # @return [Hash{Integer => Integer}] id of each table => number of the description that was current here, its key in
    #   {Intake#relations}
    attr_reader :schemas
    # @return [Integer, nil] the transaction; nil if its begin was lost
    attr_reader :xid
    # @return [Hash{Integer => true}] parts of the transaction (subtransactions) that were undone: their rows are in the
    #   bytes, and are none
    attr_reader :undone

    def initialize(bytes, offset, schemas, streamed, xid, undone = {}.freeze)
      @bytes = bytes
      @offset = offset
      @schemas = schemas
      @streamed = streamed
      @xid = xid
      @undone = undone
      Ractor.make_shareable(self)
    end

    # @param messages [Array<Message>] of one transaction, and of tables whose descriptions do not change among them
    # @return [Run] with just these
    def self.of(messages)
      runs = messages.map(&:to_run)
      schemas = runs.map(&:schemas).reduce({}, :merge)
      bytes = runs.map { |run| "#{run.bytes}\n" }.join
      new(bytes, messages.first.offset, schemas, false, messages.first.xid)
    end

    # @return [Boolean] whether each message has the id of its subtransaction behind its letter
    def streamed?
      @streamed
    end

    # @return [Integer] what this run costs, roughly
    def bytesize
      @bytes.bytesize
    end

    # @return [Array<Message>] one by one, without what belongs to the stream only; what was undone is left out
    def messages
      found = []
      at = 0
      while at < @bytes.bytesize
        ending = Layout.message_end(@bytes, at, @streamed)
        found << message(at, ending) unless @streamed && @undone.key?(Layout.uint32(@bytes, at + 1))
        at = ending + 1
      end
      found
    end

    private

    def message(at, ending)
      payload = @bytes.byteslice(at, ending - at)
      payload = payload.byteslice(0, 1) << payload.byteslice(5..) if @streamed
      Ractor.make_shareable(Message.new(payload, schema(payload), @xid, @offset + at))
    end

    def schema(payload)
      return @schemas[Layout.uint32(payload, 1)] unless payload.start_with?("T")

      Array.new(Layout.uint32(payload, 1)) { |index| @schemas[Layout.uint32(payload, 6 + (4 * index))] }
    end
  end
end
