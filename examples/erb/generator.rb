# frozen_string_literal: true

require_relative "data/product"
require_relative "data/dashboard"
require_relative "data/email"
require_relative "data/report"
require_relative "data/catalog"

module Pages
  # Makes the data of pages: the same seed gives the same pages, and no two of them are alike.
  class Generator
    KINDS = { product: Data::Product, dashboard: Data::Dashboard, email: Data::Email, report: Data::Report,
              catalog: Data::Catalog }.freeze
    # So that neighbouring seeds and neighbouring pages have nothing in common.
    STRIDE = 1_000_003

    # @param seed [Integer]
    def initialize(seed: 1)
      @seed = seed
    end

    # @param count [Integer] how many pages; the five kinds take turns, then they are shuffled
    # @return [Array<Hash>] deeply frozen
    def pages(count)
      kinds = Array.new(count) { |index| KINDS.keys[index % KINDS.size] }.shuffle(random: Random.new(@seed))
      kinds.each_with_index.map { |kind, index| page(kind, index) }.freeze
    end

    # @param kind [Symbol] one of KINDS
    # @return [Hash] the data of one page, deeply frozen; :template is its kind, :serial its index
    def page(kind, index)
      random = Random.new((@seed * STRIDE) + index)
      data = KINDS.fetch(kind).call(random)
      Ractor.make_shareable({ template: kind, serial: index }.merge(data))
    end
  end
end
