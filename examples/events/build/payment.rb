# frozen_string_literal: true

require_relative "../../support/names"
require_relative "../words"

module Events
  module Build
    # A payment of about 524 bytes.
    module Payment
      def self.call(random, _bytes)
        amount = random.rand(500..250_000)
        fee = amount / 50
        {
          amount_cents: amount, fee_cents: fee, net_cents: amount - fee,
          currency: %w[EUR USD GBP JPY].sample(random: random), status: %w[authorized captured].sample(random: random),
          card: { brand: %w[visa mastercard].sample(random: random), last4: format("%04d", random.rand(10_000)),
                  expires_year: random.rand(2027..2031), country: %w[DE JP SE PT].sample(random: random) },
          merchant: { name: Words::SHOPS.sample(random: random), city: Names::CITIES.sample(random: random) }
        }
      end
    end
  end
end
