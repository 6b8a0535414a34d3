# frozen_string_literal: true

module Cdc
  # How the messages of pgoutput (protocol versions 1 to 4) are laid out, as far as one must know it to find their ends:
  # https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html
  #
  # Every method takes a place in the data and returns the place behind a part, or nil where the data ends first.
  module Layout
    # PostgreSQL allows 1600 columns in a table and 1664 in a row.
    MAX_COLUMNS = 1664
    # Names have 63 bytes, global ids of prepared transactions 199, names of replication origins 512.
    MAX_NAME = 1024
    # Bytes of a value, and of a logical message.
    MAX_VALUE = 0x3fffffff

    # Messages of a fixed size: B C S E c.
    FIXED = { 66 => 21, 67 => 26, 83 => 6, 69 => 1, 99 => 30 }.freeze
    # Messages with a name behind a fixed part: O b P p K r.
    NAMED = { 79 => 9, 98 => 29, 80 => 30, 112 => 30, 75 => 30, 114 => 38 }.freeze

    # @param data [String] binary
    # @param at [Integer] where a message begins
    # @param streamed [Boolean] whether it is inside a streamed block: there rows, descriptions and logical messages
    #   have the id of their (sub)transaction behind their letter
    # @return [Integer, nil] the place behind it, or nil if the data ends before
    # @raise [MalformedMessage] if these bytes cannot be the beginning of a message
    def self.message_end(data, at, streamed)
      tag = data.getbyte(at)
      from = streamed ? at + 5 : at + 1
      case tag
      when 73, 85, 68 then row_end(data, from + 4, tag)                               # I, U, D
      when 82 then relation_end(data, from + 4)                                       # R
      when 89 then cstring_end(data, cstring_end(data, from + 4))                     # Y
      when 84 then truncate_end(data, from)                                           # T
      when 77 then emitted_end(data, from)                                            # M
      when 65 then abort_end(data, at)                                                # A
      else other_end(data, at, tag)
      end
    end

    def self.other_end(data, at, tag)
      size = FIXED[tag] and return within(data, at + size)
      size = NAMED[tag] and return cstring_end(data, at + size)
      raise MalformedMessage, format("unknown message type 0x%02x", tag)
    end

    # Insert: N and a tuple. Update: K or O and a tuple where the old row is known, then N and a tuple.
    # Delete: K or O and a tuple.
    def self.row_end(data, at, tag)
      marker = data.getbyte(at) or return
      if (marker == 75 || marker == 79) && tag != 73 # rubocop:disable Style/MultipleComparison -- once for every row
        at = tuple_end(data, at + 1) or return
        return at if tag == 68

        marker = data.getbyte(at) or return
      end
      raise MalformedMessage, format("unknown row marker 0x%02x", marker) unless marker == 78 && tag != 68

      tuple_end(data, at + 1)
    end

    # This walks through every value of the stream, in the one thread that has to: one loop, no call for each value.
    # rubocop:disable Metrics/AbcSize, Metrics/CyclomaticComplexity, Metrics/PerceivedComplexity
    def self.tuple_end(data, at)
      low = data.getbyte(at + 1) or return
      columns = (data.getbyte(at) << 8) | low
      raise MalformedMessage, "a row of #{columns} columns" if columns > MAX_COLUMNS

      at += 2
      while columns.positive?
        kind = data.getbyte(at)
        if kind == 116 || kind == 98 # rubocop:disable Style/MultipleComparison -- t, b
          last = data.getbyte(at + 4) or return
          length = (data.getbyte(at + 1) << 24) | (data.getbyte(at + 2) << 16) | (data.getbyte(at + 3) << 8) | last
          raise MalformedMessage, "a value of #{length} bytes" if length > MAX_VALUE

          at += 5 + length
        elsif kind == 110 || kind == 117 # rubocop:disable Style/MultipleComparison -- n, u
          at += 1
        else
          kind ? raise(MalformedMessage, format("unknown kind of value 0x%02x", kind)) : return
        end
        columns -= 1
      end
      within(data, at)
    end

    # rubocop:enable Metrics/AbcSize, Metrics/CyclomaticComplexity, Metrics/PerceivedComplexity

    def self.relation_end(data, at)
      at = cstring_end(data, cstring_end(data, at)) or return
      return if at + 3 > data.bytesize

      columns = (data.getbyte(at + 1) << 8) | data.getbyte(at + 2)
      raise MalformedMessage, "a table of #{columns} columns" if columns > MAX_COLUMNS

      at += 3
      while columns.positive?
        at = cstring_end(data, at + 1) or return
        at += 8
        columns -= 1
      end
      within(data, at)
    end

    def self.truncate_end(data, at)
      tables = uint32(data, at) or return
      raise MalformedMessage, "a truncate of #{tables} tables" if tables > 0xffff

      within(data, at + 5 + (4 * tables))
    end

    # Flags, LSN, prefix, content. The prefix may have any length.
    def self.emitted_end(data, at)
      at = cstring_end(data, at + 9, MAX_VALUE) or return
      length = uint32(data, at) or return
      raise MalformedMessage, "a message of #{length} bytes" if length > MAX_VALUE

      within(data, at + 4 + length)
    end

    # With `streaming 'parallel'` (version 4) an LSN and a time follow the two ids, without it nothing does. The
    # newline tells which: no LSN begins with one before 720 PB of log have been written.
    def self.abort_end(data, at)
      behind = data.getbyte(at + 9) or return
      behind == 10 ? at + 9 : within(data, at + 25)
    end

    def self.cstring_end(data, at, most = MAX_NAME)
      return if at.nil? || at >= data.bytesize

      zero = most == MAX_NAME ? data.byteslice(at, most).index("\0")&.+(at) : data.index("\0", at)
      raise MalformedMessage, "a name of more than #{most} bytes" if zero.nil? && data.bytesize - at >= most

      zero && (zero + 1)
    end

    def self.uint32(data, at)
      return if at + 4 > data.bytesize

      (data.getbyte(at) << 24) | (data.getbyte(at + 1) << 16) | (data.getbyte(at + 2) << 8) | data.getbyte(at + 3)
    end

    def self.uint64(data, at)
      (uint32(data, at) << 32) | uint32(data, at + 4)
    end

    def self.within(data, at)
      at if at <= data.bytesize
    end

    private_class_method :other_end, :row_end, :tuple_end, :relation_end, :truncate_end, :emitted_end, :abort_end,
                         :cstring_end, :within
  end
end
