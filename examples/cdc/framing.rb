# frozen_string_literal: true

module Cdc
  # Finds where each message ends. pg_recvlogical writes every message and then a newline, without a length, and
  # messages contain newlines themselves. But pgoutput delimits itself: whoever walks through the parts of a
  # message ({Layout}) knows its end, and there the newline must be.
  #
  # Where a message makes no sense, the next place is sought that begins a chain of messages that do, so that one
  # broken message costs that message and not the stream.
  class Framing
    # So many messages in a row have to make sense before the place where they begin is believed.
    CHAIN = 3

    def initialize
      @data = String.new(encoding: Encoding::BINARY)
      @at = 0
      @base = 0
      @ended = false
    end

    # @return [Integer] place in the stream of the first byte that belongs to no message yet
    def offset
      @base + @at
    end

    # @param bytes [String] the next piece of the stream, of any length
    # @yieldparam payload [String] one message, without the newline
    # @yieldparam offset [Integer] where it begins in the stream
    # @yieldparam defect [String, nil] what is wrong, if these bytes are no message
    def feed(bytes, &block)
      drop_taken
      @data << bytes
      take(&block)
    end

    # The stream has ended. Yields as {#feed} does, if there is something to recover behind a wrong length.
    #
    # @raise [TruncatedStream] if it ended inside a message
    # @raise [MalformedStream] if what is left is no message, and none follows
    def finish(&block)
      @ended = true
      take(&block)
    end

    private

    def drop_taken
      return if @at.zero?

      @base += @at
      @data = @data.byteslice(@at..)
      @at = 0
    end

    def take
      while @at < @data.bytesize
        defect = nil
        begin
          ending = message_end(@at)
          ending ||= recover(defect = "a length that reaches beyond the end of the stream") if @ended
        rescue MalformedMessage => e
          ending = recover(defect = e.message)
        end
        return unless ending

        payload = @data.byteslice(@at, ending - @at)
        from = offset
        @at = ending + 1
        yield payload, from, defect
      end
    end

    # Place of the newline behind the message that begins at `at`, nil if it is not there yet.
    def message_end(at)
      ending = Layout.message_end(@data, at)
      return if ending.nil? || ending >= @data.bytesize
      return ending if @data.getbyte(ending) == 10

      raise MalformedMessage, "no newline behind its #{ending - at} bytes"
    end

    # Place of the newline in front of the next believable message, nil if more bytes may bring one.
    def recover(defect)
      from = @at
      while (newline = @data.index("\n", from))
        from = newline + 1
        return newline if chain?(from)
      end
      give_up(defect) if @ended
    end

    def chain?(at)
      CHAIN.times do |count|
        return @ended && count.positive? if at == @data.bytesize

        ending = message_end(at) or return false
        at = ending + 1
      end
      true
    rescue MalformedMessage
      false
    end

    def give_up(defect)
      left = @data.bytesize - @at
      if defect.start_with?("a length that")
        raise TruncatedStream, "the stream ends inside the message at byte #{offset}, #{left} bytes into it"
      end

      raise MalformedStream, "no pgoutput message at byte #{offset}: #{defect}"
    end
  end
end
