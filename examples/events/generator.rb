# frozen_string_literal: true

require "json"
require_relative "words"
require_relative "build/moment"
require_relative "build/padding"
require_relative "build/payment"
require_relative "build/order"
require_relative "build/telemetry"
require_relative "build/statement"
require_relative "damage"

module Events
  # Makes documents: the same seed gives the same documents, on every Ruby, and no two of them are alike.
  class Generator
    # type => size in bytes, share of ten documents, builder
    TYPES = {
      "payment" => [524, 4, Build::Payment], "order" => [5_000, 3, Build::Order],
      "telemetry" => [19_000, 2, Build::Telemetry], "statement" => [78_000, 1, Build::Statement]
    }.freeze
    MALFORMED_PERCENT = 1
    # So that neighbouring seeds and neighbouring documents have nothing in common.
    STRIDE = 1_000_003

    # @param seed [Integer]
    def initialize(seed: 1)
      @seed = seed
    end

    # @param count [Integer] how many documents
    # @return [Array<String>] frozen, every document frozen; 1 % of them (rounded up) malformed, see {#malformed}
    def documents(count)
      bad = malformed(count)
      types(count).each_with_index.map do |type, index|
        json = document(type, index)
        bad.key?(index) ? Damage.call(json, bad[index], Random.new(@seed + index)) : json
      end.freeze
    end

    # @return [String] one good document, frozen
    def document(type, index)
      bytes, _share, builder = TYPES.fetch(type)
      random = Random.new((@seed * STRIDE) + index)
      Build::Padding.note(event(type, builder, bytes, random), bytes, random).freeze
    end

    # @return [Hash{Integer => Symbol}] which of `count` documents are malformed, and how
    def malformed(count)
      random = Random.new(@seed)
      places = (0...count).to_a.sample((count * MALFORMED_PERCENT / 100.0).ceil, random: random)
      kinds = Damage::KINDS.shuffle(random: random).cycle
      places.to_h { |place| [place, kinds.next] }
    end

    private

    def types(count)
      deck = TYPES.flat_map { |type, (_bytes, share, _builder)| [type] * share }
      Array.new(count) { |index| deck[index % deck.size] }.shuffle(random: Random.new(@seed))
    end

    def event(type, builder, bytes, random)
      {
        id: "evt_#{random.bytes(8).unpack1('H*')}", type: type, version: 1,
        occurred_at: Build::Moment.call(random, 1..12),
        source: "#{type}-service/eu-#{random.rand(1..9)}", data: builder.call(random, bytes)
      }
    end
  end
end
