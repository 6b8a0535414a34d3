# frozen_string_literal: true

require_relative "../check"

module Events
  module Rules
    # A card payment: what the customer paid is what arrives plus the fee.
    module Payment
      CURRENCIES = %w[EUR USD GBP JPY].freeze
      STATES = %w[authorized captured refunded].freeze

      def self.call(data)
        amount = Check.integer(data, "amount_cents", 1..100_000_000)
        fee = Check.integer(data, "fee_cents", 0..amount)
        Check.equal("amount_cents", amount, fee + Check.integer(data, "net_cents", 0..amount))
        Check.one_of(data, "currency", CURRENCIES)
        Check.one_of(data, "status", STATES)
        card = Check.object(data, "card")
        Check.match(card, "last4", /\A\d{4}\z/)
        Check.integer(card, "expires_year", 2020..2050)
      end
    end
  end
end
