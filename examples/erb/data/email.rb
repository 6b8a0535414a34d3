# frozen_string_literal: true

require_relative "../../support/names"
require_relative "lamp"

module Pages
  module Data
    # An order confirmation.
    module Email
      def self.call(random)
        items = Array.new(5) { item(random) }
        subtotal = items.sum { |entry| entry[:quantity] * entry[:price] }
        {
          brand: Words::BRANDS.sample(random: random), customer: Lamp.person(random),
          order: "R#{random.rand(10_000_000..99_999_999)}", day: Lamp.day(random), items: items, subtotal: subtotal,
          shipping: subtotal > 500_00 ? 0 : 6_90, tax: subtotal / 5,
          address: ["Harbour Street #{random.rand(1..180)}", format("%05d", random.rand(100_000)),
                    Names::CITIES.sample(random: random)],
          arrives: "#{random.rand(2..4)} to #{random.rand(5..7)} working days",
          card: format("%04d", random.rand(10_000)), tips: Array.new(2) { Lamp.prose(random, 2) }
        }
      end

      def self.item(random)
        { name: Lamp.title(random), kind: Words::KINDS.sample(random: random), sku: Lamp.sku(random),
          colour: Words::COLOURS.sample(random: random), quantity: random.rand(1..3),
          price: random.rand(39_00..320_00) }
      end
      private_class_method :item
    end
  end
end
