# frozen_string_literal: true

module Cdc
  # A whole stream, read and framed, its rows still undecoded. Frozen and shareable.
  class Recording
    # @return [Array<Run>] the rows of all that was committed, in the order of the commits
    attr_reader :runs
    # @return [Array<Transaction::Emitted>] what pg_logical_emit_message had written
    attr_reader :emitted
    # @return [Array<Loss>] bytes that could not be used
    attr_reader :losses
    # @return [Array<Notice>] what else is to be known of transactions
    attr_reader :notices
    # @return [Integer] size of the stream
    attr_reader :bytes
    # @return [Ratomic::Map] schema number => {Relation}
    attr_reader :relations
    # @return [Integer] committed transactions
    attr_reader :transactions
    # @return [Hash{String => Integer}] messages by the letter of their type
    attr_reader :messages

    # @param path [String]
    # @param options as for {Intake#initialize}
    # @return [Recording]
    # @raise [SystemCallError, TruncatedStream, MalformedStream]
    def self.read(path, **options)
      parse(File.binread(path), **options)
    end

    # @param bytes [String]
    # @param options as for {Intake#initialize}
    # @return [Recording]
    # @raise [TruncatedStream, MalformedStream]
    def self.parse(bytes, **options)
      intake = Intake.new(**options)
      new(intake.feed(bytes) + intake.finish, intake)
    end

    def initialize(events, intake)
      @runs = events.grep(Run)
      @emitted = events.grep(Transaction::Emitted)
      @losses = events.grep(Loss)
      @notices = events.grep(Notice)
      @bytes = intake.bytes
      @relations = intake.relations
      @transactions = intake.transactions
      @messages = intake.messages
      Ractor.make_shareable(self)
    end

    # Each call makes a new one.
    #
    # @return [Array<Message>] all row changes and truncates, one by one, in the order of the commits
    def items
      @runs.flat_map(&:messages)
    end
  end
end
