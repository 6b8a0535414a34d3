# frozen_string_literal: true

require_relative "../check"

module Events
  module Rules
    # An account statement: every transaction carries the balance after it, and the last is the closing balance.
    module Statement
      KINDS = %w[card transfer direct_debit fee interest].freeze
      AMOUNT = (-1_000_000_000..1_000_000_000)

      def self.call(data)
        account = Check.object(data, "account")
        Check.match(account, "iban", /\A[A-Z]{2}\d{20}\z/)
        Check.text(account, "holder")
        balance = Check.integer(data, "opening_cents", AMOUNT)
        Check.list(data, "transactions").each { |entry| balance = balance_after(entry, balance) }
        Check.equal("closing_cents", Check.integer(data, "closing_cents", AMOUNT), balance)
      end

      def self.balance_after(entry, balance)
        Check.one_of(entry, "kind", KINDS)
        Check.time(entry, "booked_at")
        Check.text(Check.object(entry, "counterparty"), "name")
        after = balance + Check.integer(entry, "amount_cents", AMOUNT)
        Check.equal("balance_cents of #{entry['id']}", Check.integer(entry, "balance_cents", AMOUNT), after)
        after
      end
      private_class_method :balance_after
    end
  end
end
