# frozen_string_literal: true

require_relative "../../support/names"
require_relative "../words"
require_relative "padding"

module Events
  module Build
    # An order of about 5 KB: twenty or so lines.
    module Order
      def self.call(random, bytes)
        lines = Padding.elements(bytes - 760) { line(random) }
        subtotal = lines.sum { |line| line[:total_cents] }
        tax = subtotal / 5
        shipping = subtotal > 50_000 ? 0 : 495
        {
          number: "R#{random.rand(10_000_000..99_999_999)}", customer: customer(random), lines: lines,
          subtotal_cents: subtotal, shipping_cents: shipping, tax_cents: tax, total_cents: subtotal + shipping + tax
        }
      end

      def self.customer(random)
        first = Names::FIRST.sample(random: random)
        last = Names::LAST.sample(random: random)
        {
          id: random.rand(1..2_000_000), name: "#{first} #{last}", email: "user#{random.rand(1_000_000)}@example.com",
          address: { street: "#{Words::STREETS.sample(random: random)} #{random.rand(1..180)}",
                     city: Names::CITIES.sample(random: random), postcode: format("%05d", random.rand(100_000)) },
          tags: %w[newsletter loyal wholesale returns early-access].sample(random.rand(1..3), random: random),
          verified: random.rand(10).positive?
        }
      end
      private_class_method :customer

      def self.line(random)
        quantity = random.rand(1..6)
        unit = random.rand(300..20_000)
        discount = random.rand(4).zero? ? quantity * unit / 10 : 0
        colour = Words::COLOURS.sample(random: random)
        {
          sku: "#{colour[0, 3].upcase}-#{format('%05d', random.rand(100_000))}",
          title: "#{colour} #{Words::THINGS.sample(random: random)}", quantity: quantity, unit_cents: unit,
          discount_cents: discount, total_cents: (quantity * unit) - discount,
          attributes: { weight_g: random.rand(50..9_000), gift: random.rand(8).zero?, bin: "A#{random.rand(900)}" }
        }
      end
      private_class_method :line
    end
  end
end
