# frozen_string_literal: true

require_relative "../../support/names"
require_relative "lamp"

module Pages
  module Data
    # One page of an API's answer: forty products with their variants, stock and texts.
    module Catalog
      def self.call(random)
        {
          request: random.bytes(16).unpack1("H*"), at: "#{Lamp.day(random)}T12:00:00Z", page: random.rand(1..90),
          pages: random.rand(90..120), total: random.rand(3_600..4_800),
          query: "lamp & shade < #{random.rand(100..900)} EUR",
          products: Array.new(33) { product(random) }
        }
      end

      def self.product(random)
        {
          id: random.rand(1_000_000), sku: Lamp.sku(random), name: Lamp.title(random),
          kind: Words::KINDS.sample(random: random), brand: Words::BRANDS.sample(random: random),
          updated: "#{Lamp.day(random)}T08:30:00Z", price: random.rand(39_00..600_00),
          text: Lamp.prose(random, 2), features: Words::FEATURES.sample(3, random: random),
          variants: Words::COLOURS.sample(4, random: random).map { |name, hue| variant(name, hue, random) }
        }
      end
      private_class_method :product

      def self.variant(name, hue, random)
        { colour: name, hue: hue, ean: format("40%011d", random.rand(10**11)), stock: random.rand(90),
          store: Names::CITIES.sample(random: random) }
      end
      private_class_method :variant
    end
  end
end
