# frozen_string_literal: true

module Cdc
  # The part of the work that has to be done in the order of the stream, by one thread: it follows transactions,
  # keeps each new description of a table in the Map of relations, and hands on the row changes undecoded.
  #
  # A description may change in mid-stream, and workers decode in any order. So each description gets a number of
  # its own, its key in the Map, and each row carries the number that was current where it stood.
  class Intake
    # @return [Ratomic::Map] schema number => {Relation}, complete for every item handed out so far
    attr_reader :relations
    # @return [Hash{String => Integer}] messages seen so far, by the letter of their type
    attr_reader :messages
    # @return [Array<Transaction::Emitted>] what pg_logical_emit_message has written so far
    attr_reader :emitted

    def initialize
      @framing = Framing.new
      @relations = Ratomic::Map.new
      @current = {}
      @messages = Hash.new(0)
      @emitted = []
      @transaction = nil
    end

    # @return [Integer] bytes of the stream that belong to complete messages
    def bytes
      @framing.offset
    end

    # @return [Boolean] whether a transaction has begun that has not been committed yet
    def in_transaction?
      !@transaction.nil?
    end

    # @return [Integer] committed transactions
    def transactions
      @messages["C"]
    end

    # @param chunk [String] the next bytes of the stream
    # @return [Array<Message>] the row changes and truncates that they complete, shareable
    # @raise [MalformedStream]
    def feed(chunk)
      items = []
      @framing.feed(chunk) { |payload, offset, defect| take(payload, offset, defect, items) }
      items
    end

    # The stream has ended.
    #
    # @return [Array<Message>] as {#feed}
    # @raise [TruncatedStream] if it ended inside a message or a transaction
    # @raise [MalformedStream]
    def finish
      items = []
      @framing.finish { |payload, offset, defect| take(payload, offset, defect, items) }
      return items unless @transaction

      raise TruncatedStream,
            "the stream ends at byte #{bytes} inside transaction #{@transaction.xid}: its commit is missing"
    end

    private

    def take(payload, offset, defect, items)
      return items << message(payload, nil, offset, defect) if defect

      tag = payload[0]
      @messages[tag] += 1
      case tag
      when "I", "U", "D" then items << message(payload, @current[Reader.new(payload, 1).uint32], offset)
      when "T" then items << message(payload, truncated(payload), offset)
      when "R" then describe(Relation.parse(payload))
      else follow(Transaction.parse(payload))
      end
    rescue MalformedMessage => e
      # A description that cannot be read says that the last one is not current any more.
      @current.delete(Reader.new(payload, 1).uint32) if tag == "R"
      items << message(payload, nil, offset, e.message)
    end

    def message(payload, schema, offset, defect = nil)
      payload.force_encoding(Encoding::UTF_8).freeze
      Ractor.make_shareable(Message.new(payload, schema, @transaction&.xid, offset, defect))
    end

    def truncated(payload)
      reader = Reader.new(payload, 1)
      count = reader.uint32
      reader.uint8
      Array.new(count) { @current[reader.uint32] }
    end

    # The server repeats descriptions at will: only one that says something new gets a number.
    def describe(relation)
      known = @current[relation.oid]
      return if known && @relations[known] == relation

      number = @relations.size
      @relations[number] = relation
      @current[relation.oid] = number
    end

    def follow(event)
      case event
      when Transaction::Begin then @transaction = event
      when Transaction::Commit then @transaction = nil
      when Transaction::Emitted then @emitted << event
      end
    end
  end
end
