# frozen_string_literal: true

# Products, in place of a database.
module Catalogue
  Product = Struct.new(:id, :name, :cents, :tags)

  WORDS = %w[amber basalt cedar denim elm felt glass hemp iron jute linen maple oak pine silk tin].freeze

  # @param category [Integer]
  # @param count [Integer]
  # @return [Array<Product>] the same ones each time
  def self.products(category, count: 60)
    random = Random.new(category)
    Array.new(count) do |i|
      name = WORDS.sample(2, random: random).join(" & ")
      Product.new((category * 1_000) + i, name, random.rand(100..99_999), WORDS.sample(3, random: random))
    end
  end
end
