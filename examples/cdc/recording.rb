# frozen_string_literal: true

module Cdc
  # A whole stream, read and framed, its rows still undecoded. Frozen and shareable.
  class Recording
    # @return [Array<Message>] all row changes and truncates, in order
    attr_reader :items
    # @return [Integer] size of the stream
    attr_reader :bytes
    # @return [Ratomic::Map] schema number => {Relation}
    attr_reader :relations
    # @return [Integer] committed transactions
    attr_reader :transactions
    # @return [Hash{String => Integer}] messages by the letter of their type
    attr_reader :messages

    # @param path [String]
    # @return [Recording]
    # @raise [SystemCallError, TruncatedStream, MalformedStream]
    def self.read(path)
      parse(File.binread(path))
    end

    # @param bytes [String]
    # @return [Recording]
    # @raise [TruncatedStream, MalformedStream]
    def self.parse(bytes)
      intake = Intake.new
      new(intake.feed(bytes) + intake.finish, intake)
    end

    def initialize(items, intake)
      @items = items
      @bytes = intake.bytes
      @relations = intake.relations
      @transactions = intake.transactions
      @messages = intake.messages.to_h { |tag, count| [tag, count] }
      Ractor.make_shareable(self)
    end
  end
end
