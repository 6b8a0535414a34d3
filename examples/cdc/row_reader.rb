# frozen_string_literal: true

module Cdc
  # Reads the tuples of messages and casts their values ({Cast}). This is where a worker spends its time: bytes are
  # read in place, integers are made without a String between, and texts are cut out once.
  class RowReader
    # Stands for a large value that the update did not touch, and that is not in the old row either: PostgreSQL does
    # not send it again.
    UNCHANGED = :unchanged

    # @return [Integer] the next byte to read
    attr_accessor :at
    # @return [Hash{String => String}, nil] columns of which the text was kept, and why, since the last {#forget}
    attr_reader :notes

    # @param payload [String] messages, marked as UTF-8
    # @param at [Integer] first byte to read
    def initialize(payload, at = 0)
      @payload = payload
      @at = at
    end

    # Goes to another place, for another message.
    def start(at)
      @at = at
      @notes = nil
    end

    # @return [Integer, nil] the next byte, taken; nil at the end
    def marker
      @at += 1
      @payload.getbyte(@at - 1)
    end

    # @return [Integer] unsigned, 32 bits
    # @raise [MalformedMessage] if fewer are left
    def uint32
      number = length(@at)
      @at += 4
      number
    end

    # @param relation [Relation]
    # @param old [Change::Old, nil] the old row, for what is not sent again
    # @return [Array] the next tuple's values, frozen, each as {Cast} says, nil for NULL, or {UNCHANGED}
    # @raise [MalformedMessage] if it does not fit the relation
    def row(relation, old = nil)
      casts = relation.casts
      count = ((marker || 0) << 8) | (marker || 0)
      unless count == casts.size
        raise MalformedMessage, "a row of #{count} columns for #{relation.name}, which has #{casts.size}"
      end

      values = Array.new(count)
      index = 0
      while index < count
        value = value(casts[index], relation, index)
        value = old.row[index] if old && value.equal?(UNCHANGED) && (old.whole || relation.columns[index].key)
        values[index] = value
        index += 1
      end
      values.freeze
    end

    private

    def value(cast, relation, index)
      case (kind = @payload.getbyte(@at))
      when 116, 98
        from = @at + 5
        @at = ending = from + length(@at + 1)
        if ending > @payload.bytesize
          raise MalformedMessage, "a value of #{ending - from} bytes goes beyond its message"
        end

        kind == 116 ? text(cast, from, ending, relation, index) : binary(cast, from, ending, relation, index)
      when 110, 117
        @at += 1
        kind == 110 ? nil : UNCHANGED
      else raise MalformedMessage, "unknown kind of value #{kind.inspect} in #{place(relation, index)}"
      end
    end

    # Of what makes a number or a boolean no String is cut out.
    def text(cast, from, ending, relation, index)
      return integer(from, ending, relation, index) if cast == :integer
      return boolean(from, ending, relation, index) if cast == :boolean

      text = @payload.byteslice(from, ending - from)
      raise MalformedMessage, "no UTF-8 in #{place(relation, index)}#{setting(:text)}" unless text.valid_encoding?

      Cast.value(cast, text)
    rescue Cast::Inexact => e
      note(relation, index, e, text)
    rescue ArgumentError
      refuse(cast, from, ending, relation, index)
    end

    def binary(cast, from, ending, relation, index)
      bytes = @payload.byteslice(from, ending - from)
      Binary.value(relation.types[index], cast, bytes)
    rescue Cast::Inexact => e
      note(relation, index, e, bytes.delete_prefix("\1"))
    rescue ArgumentError => e
      raise MalformedMessage, "#{place(relation, index)}: #{e.message}"
    end

    def note(relation, index, reason, text)
      (@notes ||= {})[relation.column_names[index]] = "kept as text: #{reason.message}"
      text.freeze
    end

    def setting(cast)
      " (the session needs #{Cast::SETTINGS[cast]})" if Cast::SETTINGS[cast]
    end

    def length(at)
      payload = @payload
      last = payload.getbyte(at + 3) or raise MalformedMessage, "the message ends inside a number"
      (payload.getbyte(at) << 24) | (payload.getbyte(at + 1) << 16) | (payload.getbyte(at + 2) << 8) | last
    end

    def integer(from, ending, relation, index)
      payload = @payload
      negative = payload.getbyte(from) == 45
      at = negative ? from + 1 : from
      bad = at >= ending
      number = 0
      while at < ending
        digit = payload.getbyte(at) - 48
        bad = true if digit < 0 || digit > 9
        number = (number * 10) + digit
        at += 1
      end
      raise MalformedMessage, "no integer in #{place(relation, index)}" if bad

      negative ? -number : number
    end

    def boolean(from, ending, relation, index)
      letter = @payload.getbyte(from) if ending == from + 1
      return true if letter == 116 # t
      return false if letter == 102 # f

      refuse(:boolean, from, ending, relation, index)
    end

    def refuse(cast, from, ending, relation, index)
      raise MalformedMessage, "no #{cast} in #{place(relation, index)}: " \
                              "#{@payload.byteslice(from, ending - from)[0, 40].inspect}#{setting(cast)}"
    end

    def place(relation, index)
      "#{relation.name}.#{Relation.plain(relation.column_names[index])}"
    end
  end
end
