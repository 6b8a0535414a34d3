# frozen_string_literal: true

require "tempfile"

module Cdc
  # The rows and logical messages, in order, of a transaction that has not ended yet. They are handed on when it is
  # committed, and thrown away when it is rolled back. When {Memory} has no room for them, they are in a temporary file.
  class Held
    # @return [Integer, nil] the transaction; nil if its begin was lost
    attr_reader :xid
    # @return [Integer, nil] LSN of its commit, of a streamed one unknown before
    attr_accessor :lsn
    # @return [Boolean] whether the server sends it a second time, so that it must not be handed on again
    attr_accessor :repeated
    # @return [Boolean] whether bytes inside it were lost
    attr_accessor :damaged
    # @return [Integer] where it began in the stream
    attr_reader :offset
    # @return [Integer] bytes that are in memory
    attr_reader :bytes
    # @return [Hash{Integer => true}] subtransactions that were undone
    attr_reader :undone

    # What a logical message costs besides its content, roughly.
    OVERHEAD = 200

    # @param memory [Memory] what all open transactions share
    def initialize(xid, lsn, offset, memory)
      @xid = xid
      @lsn = lsn
      @offset = offset
      @memory = memory
      @entries = []
      @bytes = 0
      @undone = {}
      @file = nil
    end

    # @param entry [Array, Transaction::Emitted] bytes, offset, schemas, streamed of a run; or a logical message
    # @param size [Integer] bytes that it has
    # @return [void]
    def add(entry, size)
      @entries << entry
      @bytes += size + OVERHEAD
      @memory.add(self, size + OVERHEAD)
    end

    # Hands everything on, in order.
    #
    # @yieldparam event [Run, Transaction::Emitted]
    def each(&block)
      undone = Ractor.make_shareable(@undone)
      spilled { |entry| hand_on(entry, undone, &block) }
      hand_on(@entries.shift, undone, &block) until @entries.empty?
    ensure
      drop
    end

    # Throws everything away.
    def drop
      @memory.remove(self, @bytes)
      @bytes = 0
      @entries = []
      @file&.close
      @file = nil
    end

    # Moves what is in memory to the file.
    def spill
      @file ||= Tempfile.create("ratomic-cdc-").tap do |file|
        file.binmode
        File.unlink(file.path) # it ends with the process, however that ends
      end
      @entries.each { |entry| Marshal.dump(entry, @file) }
      @entries = []
      @memory.remove(self, @bytes)
      @bytes = 0
    end

    # @return [Boolean] whether some of it is in a file
    def spilled?
      !@file.nil?
    end

    private

    def spilled
      return unless @file

      @file.rewind
      yield Marshal.load(@file) until @file.eof? # rubocop:disable Security/MarshalLoad -- nobody else can write to it
    end

    def hand_on(entry, undone)
      return if entry.is_a?(Transaction::Emitted) && undone.key?(entry.xid)
      return yield(entry) if entry.is_a?(Transaction::Emitted)

      bytes, offset, schemas, streamed = entry
      yield Run.new(bytes.freeze, offset, @memory.schemas[schemas], streamed, @xid, undone)
    end
  end
end
