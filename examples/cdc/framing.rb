# frozen_string_literal: true

module Cdc
  # Finds where each message ends. pg_recvlogical writes every message and then a newline, without a length, and
  # messages contain newlines themselves. But each message of pgoutput delimits itself: a walk through its parts
  # ({Layout}) finds its end, and there the newline must be.
  #
  # Where a message makes no sense, {Recovery} looks for the next place that does, so that one broken message costs
  # that message and not the stream.
  class Framing
    # What begins or ends a streamed block: all that is never inside one.
    OUTSIDE = [65, 66, 67, 69, 75, 80, 83, 98, 99, 112, 114].to_h { |tag| [tag, true] }.freeze # A B C E K P S b c p r
    BEYOND = "a length that reaches beyond the end of the stream"
    # Bytes that are looked at for what is known about a broken message.
    HEAD = 64

    # Place of the newline behind the message that begins at `at`, nil if it is not there yet.
    #
    # @raise [MalformedMessage]
    def self.message_end(data, at, streamed)
      ending = Layout.message_end(data, at, streamed)
      return if ending.nil? || ending >= data.bytesize
      return ending if data.getbyte(ending) == 10

      raise MalformedMessage, "no newline behind its #{ending - at} bytes"
    end

    # @param fit [#call] makes a new {Fit}, for when a place to go on has to be found
    def initialize(fit = Fit::Anything.method(:new))
      @fit = fit
      @data = String.new(encoding: Encoding::BINARY)
      @at = 0
      @base = 0
      @ended = false
      @streamed = false
      @recovery = nil
      @any = false
    end

    # @return [Integer] place in the stream of the first byte that belongs to no message yet
    def offset
      @base + @at
    end

    # @return [Integer] place in the stream where the yielded data begins
    attr_reader :base

    # @param bytes [String] the next piece of the stream, of any length, and in whatever encoding: it is copied as bytes
    # @yieldparam data [String] binary; good until the block returns
    # @yieldparam at [Integer] where in it a message begins
    # @yieldparam ending [Integer] where its newline is
    # @yieldparam loss [Loss, nil] instead of a message (all else is nil then): bytes that are none
    def feed(bytes, &block)
      drop_taken
      @data << (bytes.encoding == Encoding::BINARY ? bytes : bytes.b)
      take(&block)
    end

    # The stream has ended. Yields as {#feed} does, if there is something to recover behind a wrong length.
    #
    # @raise [TruncatedStream] if it ended inside a message
    # @raise [MalformedStream] if none of it was a message
    def finish(&block)
      @ended = true
      take(&block)
    end

    private

    # Bytes that are lost are not kept while a place to go on is looked for.
    def drop_taken
      taken = @recovery ? @recovery.needed - @base : @at
      return unless taken.positive?

      @base += taken
      @data = @data.byteslice(taken..)
      @at = 0
    end

    def take(&block)
      loop do
        return unless @at < @data.bytesize || (@recovery && @ended)
        return unless @recovery ? recover(&block) : message(&block)
      end
    end

    def message
      at = @at
      ending = begin
        Framing.message_end(@data, at, @streamed)
      rescue MalformedMessage => e
        return broken(e.message)
      end
      return @ended && broken(BEYOND) unless ending

      @at = ending + 1
      @any = true
      tag = @data.getbyte(at)
      @streamed = tag == 83 if OUTSIDE[tag]
      yield @data, at, ending, nil
      true
    end

    def broken(defect)
      @recovery = Recovery.new(offset, defect, @data.byteslice(@at, HEAD), @fit.call, @streamed)
    end

    # @return [Boolean] whether a place to go on was found
    def recover
      to = @recovery.find(@data, @base, @ended)
      give_up if to.nil? && @ended && (@recovery.defect == BEYOND || !@any)
      to ||= @base + @data.bytesize if @ended
      return false unless to

      loss = @recovery.loss(to)
      @recovery = nil
      @at = to - @base
      yield nil, nil, nil, loss
      true
    end

    def give_up
      from = @recovery.from
      if @recovery.defect == BEYOND
        raise TruncatedStream, "the stream ends inside the message at byte #{from}, " \
                               "#{@base + @data.bytesize - from} bytes into it"
      end

      remedy = @recovery.loss(from).remedy
      raise MalformedStream, "no pgoutput message at byte #{from}: #{@recovery.defect}#{" (#{remedy})" if remedy}"
    end
  end
end
