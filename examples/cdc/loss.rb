# frozen_string_literal: true

module Cdc
  # Bytes of the stream that could not be used: a broken message, and what had to be skipped behind it. Frozen.
  class Loss
    # @return [Integer] first byte that is lost
    attr_reader :from
    # @return [Integer] first byte that is used again
    attr_reader :to
    # @return [String] what is wrong with the first message
    attr_reader :defect
    # @return [Integer] how many messages are in these bytes at least: the broken one, and those behind it that look
    #   like messages and fit nothing
    attr_reader :messages
    # @return [Hash{Integer => String}] ids and names of the tables whose description was in these bytes, so that their
    #   rows cannot be read from here on until the server describes them again
    attr_reader :tables

    # What the first bytes of a stream of something else look like, and what to do.
    REMEDIES = {
      /\A\s*[{\[]/n => "this looks like JSON (wal2json): the slot needs the plugin pgoutput",
      /\A(?:BEGIN|table |COMMIT)/n => "this looks like test_decoding: the slot needs the plugin pgoutput",
      /\A[wk]\0\0\0\0/n => "this is the copy protocol itself: record with pg_recvlogical, which takes its headers off"
    }.freeze
    NEWER = "if the stream was asked for with a proto_version above 4, ask for 1 to 4"

    def initialize(from, to, defect, messages, tables, head)
      @from = from
      @to = to
      @defect = defect
      @messages = messages
      @tables = tables
      @head = head
      Ractor.make_shareable(self)
    end

    # @return [Integer] how many bytes are lost
    def bytes
      @to - @from
    end

    # @return [String, nil] what to do about it, where that is known
    def remedy
      known = REMEDIES.find { |pattern, _advice| pattern.match?(@head) }
      return known.last if known

      NEWER if @defect.start_with?("unknown message type") && @head.match?(/\A[A-Za-z]/n)
    end

    # @return [String] one line
    def to_s
      line = "#{@defect} (message at byte #{@from}): #{bytes} bytes lost, at least #{@messages} " \
             "#{@messages == 1 ? 'message' : 'messages'}"
      line << "; unknown from here: #{@tables.values.join(', ')}" if @tables.any?
      remedy ? "#{line}; #{remedy}" : line
    end
  end
end
