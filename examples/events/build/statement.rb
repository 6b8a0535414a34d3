# frozen_string_literal: true

require_relative "../../support/names"
require_relative "../words"
require_relative "moment"
require_relative "padding"

module Events
  module Build
    # An account statement of about 78 KB: a quarter's transactions, some three hundred.
    module Statement
      KINDS = %w[card transfer direct_debit fee interest].freeze

      def self.call(random, bytes)
        opening = random.rand(-50_000..900_000)
        balance = opening
        serial = random.rand(1_000_000)
        transactions = Padding.elements(bytes - 560) do
          amount = random.rand(-40_000..42_000)
          entry(random, serial += 1, amount, balance += amount)
        end
        {
          account: { iban: "DE#{Array.new(20) { random.rand(10) }.join}", currency: "EUR",
                     holder: "#{Names::FIRST.sample(random: random)} #{Names::LAST.sample(random: random)}" },
          period: { from: "2026-01-01", to: "2026-03-31" },
          opening_cents: opening, closing_cents: balance, transactions: transactions
        }
      end

      def self.entry(random, serial, amount, balance)
        {
          id: format("trx-%08d", serial), kind: KINDS.sample(random: random),
          booked_at: Moment.call(random, 1..3),
          amount_cents: amount, balance_cents: balance,
          counterparty: { name: Words::SHOPS.sample(random: random), city: Names::CITIES.sample(random: random) },
          memo: Words::PROSE.sample(random.rand(3..7), random: random).join(" "), flagged: random.rand(40).zero?
        }
      end
      private_class_method :entry
    end
  end
end
