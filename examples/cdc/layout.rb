# frozen_string_literal: true

module Cdc
  # How the messages of pgoutput (protocol version 1) are laid out, as far as one must know it to find their ends:
  # https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html
  #
  # Every method takes a place in the data and returns the place behind a part, or nil where the data ends first.
  module Layout
    # PostgreSQL allows 1600 columns in a table and 1664 in a row.
    MAX_COLUMNS = 1664

    # @param data [String] binary
    # @param at [Integer] where a message begins
    # @return [Integer, nil] the place behind it, or nil if the data ends before
    # @raise [MalformedMessage] if these bytes cannot be the beginning of a message
    def self.message_end(data, at)
      case (tag = data.getbyte(at))
      when 73, 85, 68 then row_end(data, at, tag)                              # I, U, D
      when 66 then within(data, at + 21)                                       # B
      when 67 then within(data, at + 26)                                       # C
      when 79 then cstring_end(data, at + 9)                                   # O
      when 82 then relation_end(data, at)                                      # R
      when 89 then cstring_end(data, cstring_end(data, at + 5))                # Y
      when 84 then truncate_end(data, at)                                      # T
      when 77 then emitted_end(data, at)                                       # M
      else raise MalformedMessage, format("unknown message type 0x%02x", tag)
      end
    end

    # Insert: N and a tuple. Update: K or O and a tuple where the old row is known, then N and a tuple.
    # Delete: K or O and a tuple.
    def self.row_end(data, at, tag)
      at += 5
      marker = data.getbyte(at) or return
      if [75, 79].include?(marker) && tag != 73
        at = tuple_end(data, at + 1) or return
        return at if tag == 68

        marker = data.getbyte(at) or return
      end
      raise MalformedMessage, format("unknown row marker 0x%02x", marker) unless marker == 78 && tag != 68

      tuple_end(data, at + 1)
    end

    def self.tuple_end(data, at)
      return if at + 2 > data.bytesize

      columns = (data.getbyte(at) << 8) | data.getbyte(at + 1)
      raise MalformedMessage, "a row of #{columns} columns" if columns > MAX_COLUMNS

      at += 2
      while columns.positive?
        at = column_end(data, at) or return
        columns -= 1
      end
      at
    end

    def self.column_end(data, at)
      case (kind = data.getbyte(at))
      when 110, 117 then at + 1                                                # n, u
      when 116, 98                                                             # t, b
        length = uint32(data, at + 1) or return
        raise MalformedMessage, "a value of #{length} bytes" if length > 0x3fffffff

        within(data, at + 5 + length)
      when nil then nil
      else raise MalformedMessage, format("unknown kind of value 0x%02x", kind)
      end
    end

    def self.relation_end(data, at)
      at = cstring_end(data, cstring_end(data, at + 5)) or return
      return if at + 3 > data.bytesize

      columns = (data.getbyte(at + 1) << 8) | data.getbyte(at + 2)
      raise MalformedMessage, "a table of #{columns} columns" if columns > MAX_COLUMNS

      at += 3
      columns.times { at = cstring_end(data, at + 1)&.+(8) or return }
      within(data, at)
    end

    def self.truncate_end(data, at)
      tables = uint32(data, at + 1) or return
      raise MalformedMessage, "a truncate of #{tables} tables" if tables > 0xffff

      within(data, at + 6 + (4 * tables))
    end

    def self.emitted_end(data, at)
      at = cstring_end(data, at + 10) or return
      length = uint32(data, at) or return
      raise MalformedMessage, "a message of #{length} bytes" if length > 0x3fffffff

      within(data, at + 4 + length)
    end

    def self.cstring_end(data, at)
      return if at.nil? || at >= data.bytesize

      zero = data.index("\0", at)
      zero && (zero + 1)
    end

    def self.uint32(data, at)
      return if at + 4 > data.bytesize

      (data.getbyte(at) << 24) | (data.getbyte(at + 1) << 16) | (data.getbyte(at + 2) << 8) | data.getbyte(at + 3)
    end

    def self.within(data, at)
      at if at <= data.bytesize
    end

    private_class_method :row_end, :tuple_end, :column_end, :relation_end, :truncate_end, :emitted_end,
                         :cstring_end, :uint32, :within
  end
end
