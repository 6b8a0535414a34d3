# frozen_string_literal: true

require "digest"

module CdcBench
  # A stream as PostgreSQL sends it with proto_version 2 and streaming, made from a seed: large transactions in blocks,
  # with a savepoint that is rolled back in each, and small ordinary ones between the blocks.
  class Capture
    ROWS = 20_000
    BLOCK = 4_000
    # Of a thousand rows, so many belong to the savepoint.
    UNDONE = 20
    WIDE = 16_400
    SMALL = 16_401
    # Type OIDs.
    COLUMNS = {
      WIDE => ["wide", { "id" => 20, "n" => 23, "f" => 701, "ok" => 16, "note" => 25, "at" => 1184, "doc" => 3802,
                         "cost" => 1700 }],
      SMALL => ["small", { "id" => 20, "n" => 23, "note" => 25, "at" => 1184 }]
    }.freeze

    # @param path [String] where to
    # @param bytes [Integer] at least
    # @return [String] the path
    def self.write(path, bytes)
      File.open(path, "wb") { |file| new(file).write(bytes) }
      path
    end

    def initialize(file)
      @file = file
      @random = Random.new(17)
      @xid = 700
      @lsn = 0x1_0000_0000
      @id = 0
    end

    def write(bytes)
      ordinary(describe(WIDE), describe(SMALL), *small)
      transaction until @file.pos >= bytes
    end

    private

    def transaction
      xid = @xid += 2
      (0...ROWS).step(BLOCK) do |from|
        message("S", xid, from.zero? ? 1 : 0, "NC")
        BLOCK.times { |index| change(xid, index) }
        message("E")
        ordinary(*small)
      end
      message("A", xid, xid + 1, "NN")
      message("c", xid, 0, lsn, @lsn + 48, 0, "NCQ>Q>q>")
    end

    # Two inserts, and then an update of the second.
    def change(xid, index)
      part = index % 1000 < UNDONE ? xid + 1 : xid
      tag = index % 3 == 2 ? "U" : "I"
      @id += 1 if tag == "I"
      @file << "#{tag}#{[part, WIDE].pack("NN")}N".b << tuple(wide) << "\n"
    end

    def ordinary(*messages)
      xid = @xid += 2
      at = lsn
      message("B", at, 0, xid, "Q>q>N")
      messages.each { |bytes| @file << bytes << "\n" }
      message("C", 0, at, at + 48, 0, "CQ>Q>q>")
    end

    def small
      rows = Array.new(3) { "I#{[SMALL].pack("N")}N".b << tuple([@id += 1, @id % 1000, "text #{@id}", time]) }
      rows << ("D#{[SMALL].pack("N")}K".b << tuple([@id, nil, nil, nil]))
    end

    def wide
      digest = Digest::MD5.hexdigest(@id.to_s)
      [@id, @random.rand(100_000), @random.rand.round(6), @id.even? ? "t" : "f", "note #{digest}", time,
       "{\"a\": #{@id}, \"b\": [1, 2, #{@id}], \"c\": \"#{digest}\"}", format("%.4f", @id * 1.25)]
    end

    def time
      format("2026-11-%<day>02d %<hour>02d:%<minute>02d:07.%<rest>06d+00",
             day: 1 + (@id % 30), hour: @id % 24, minute: @id % 60, rest: @id % 1_000_000)
    end

    def tuple(values)
      values.inject([values.size].pack("n")) do |bytes, value|
        next bytes << "n" if value.nil?

        text = value.to_s
        bytes << "t" << [text.bytesize].pack("N") << text
      end
    end

    def describe(oid)
      name, columns = COLUMNS.fetch(oid)
      described = columns.map { |column, type| "#{column == "id" ? "\1" : "\0"}#{column}\0#{[type, -1].pack("Nl>")}".b }
      "R#{[oid].pack("N")}public\0#{name}\0d#{[columns.size].pack("n")}".b << described.join
    end

    def lsn
      @lsn += 0x100
    end

    def message(tag, *numbers)
      @file << tag << (numbers.empty? ? "" : numbers[0...-1].pack(numbers.last)) << "\n"
    end
  end
end
