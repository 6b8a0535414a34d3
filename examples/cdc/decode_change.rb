# frozen_string_literal: true

module Cdc
  # The callable for single messages: one undecoded {Message} in, one frozen {Change} out, counted on the way. Frozen
  # and shareable, so one and the same object serves `map`, threads and Ractors. For a long stream see {CountRuns}.
  class DecodeChange
    # @return [Totals] what was decoded so far
    attr_reader :totals

    # @param relations [Ratomic::Map] as {Intake#relations} or {Recording#relations}
    # @param totals [Totals]
    def initialize(relations, totals = Totals.new)
      @relations = relations
      @totals = totals
      freeze
    end

    # @param message [Message]
    # @return [Change]
    # @raise [MalformedMessage] naming the byte where the message begins; nothing is counted then
    def call(message)
      change = RunReader.new(message.to_run, @relations).decode(0)
      @totals.count(change, message.bytesize)
      change
    rescue MalformedMessage => e
      raise MalformedMessage, "#{e.message} (message at byte #{message.offset})"
    end
  end
end
