# frozen_string_literal: true

require "json"

module Metrics
  # Makes the lines of a stream: the same seed gives the same lines, on every Ruby.
  module Lines
    TABLES = %w[accounts branches history invoices orders tellers].freeze
    KINDS = %w[insert update update update delete].freeze
    BEGINNING = 1_767_225_600_000 # 2026-01-01, in milliseconds

    # @param count [Integer]
    # @param seed [Integer]
    # @return [Array<String>] frozen, each line frozen
    def self.make(count, seed: 1)
      random = Random.new(seed)
      Array.new(count) { |index| line(index, random) }.freeze
    end

    def self.line(index, random)
      row = { "id" => index, "owner" => random.rand(10_000), "cents" => random.rand(1_000_000), "note" => "n" * 40 }
      at = BEGINNING + index
      JSON.generate({ "op" => KINDS.sample(random: random), "ts_ms" => at + random.rand(1..900), "before" => nil,
                      "after" => row, "source" => { "db" => "shop", "table" => TABLES.sample(random: random),
                                                    "lsn" => index * 8, "ts_ms" => at } }).freeze
    end
    private_class_method :line
  end
end
