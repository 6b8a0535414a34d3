# frozen_string_literal: true

require "digest"
require "json"

module Cdc
  # What PostgreSQL itself counted of a stream: rows inserted, updated and deleted per table (from
  # pg_stat_user_tables), and messages by type (as the server cuts the same changes into messages), but for the
  # descriptions of tables and types: how often they come again depends on the session that reads.
  class Statistics
    COUNTED = %w[inserts updates deletes].freeze
    # Relation and Type messages.
    DESCRIPTIONS = %w[R Y].freeze

    # @param bytes [String] a whole stream
    # @return [String] what {#md5} has to be
    # @raise [TruncatedStream, MalformedStream]
    def self.md5(bytes)
      digest = Digest::MD5.new
      cut(bytes) { |payload| digest << payload << "\n" unless payload.start_with?(*DESCRIPTIONS) }
      digest.hexdigest
    end

    # @param bytes [String] a whole stream
    # @yieldparam payload [String] each of its messages
    def self.cut(bytes)
      take = ->(data, at, ending, _loss) { yield data.byteslice(at, ending - at) if data }
      framing = Framing.new
      framing.feed(bytes, &take)
      framing.finish(&take)
    end

    # @return [Hash{String => Hash{String => Integer}}] counts per table
    attr_reader :tables
    # @return [Hash{String => Integer}] messages by the letter of their type, without {DESCRIPTIONS}
    attr_reader :messages
    # @return [String, nil] MD5 of these messages, a newline behind each, if the server was asked
    attr_reader :md5
    # @return [String, nil] version of the server
    attr_reader :server

    # @param path [String] a statistics.json
    # @raise [Error, SystemCallError] if it cannot be read
    def self.load(path)
      new(JSON.parse(File.read(path)))
    rescue JSON::ParserError, KeyError, TypeError
      raise Error, "#{path} holds no statistics of a recording"
    end

    def initialize(facts)
      @tables = facts.fetch("tables")
      @messages = facts.fetch("messages")
      @md5 = facts["md5"]
      @server = facts["server"]
    end

    # @param totals [Totals] what was decoded
    # @param messages [Hash{String => Integer}] what was read
    # @return [Array<String>] one line for each number that differs; empty if everything is equal
    def differences(totals, messages)
      counted = totals.to_h
      rows = (@tables.keys | counted.keys).flat_map do |table|
        COUNTED.map { |kind| ["#{table} #{kind}", counted.dig(table, kind.to_sym) || 0, @tables.dig(table, kind) || 0] }
      end
      (rows + message_rows(messages)).reject { |_what, ours, theirs| ours == theirs }
                                     .map { |what, ours, theirs| "#{what}: #{ours} decoded, #{theirs} by PostgreSQL" }
    end

    private

    def message_rows(read)
      tags = (@messages.keys | read.keys) - DESCRIPTIONS
      tags.map { |tag| ["messages #{tag}", read.fetch(tag, 0), @messages.fetch(tag, 0)] }
    end
  end
end
