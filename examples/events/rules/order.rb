# frozen_string_literal: true

require_relative "../check"

module Events
  module Rules
    # An order: each line is quantity times price less its discount, the lines add up to the subtotal, and subtotal,
    # shipping and tax to the total.
    module Order
      AMOUNT = (0..1_000_000_000)

      def self.call(data)
        customer = Check.object(data, "customer")
        Check.match(customer, "email", /\A[^@\s]+@[^@\s]+\z/)
        Check.text(Check.object(customer, "address"), "city")
        subtotal = Check.integer(data, "subtotal_cents", AMOUNT)
        Check.equal("subtotal_cents", subtotal, Check.list(data, "lines").sum { |line| line_total(line) })
        extra = Check.integer(data, "shipping_cents", AMOUNT) + Check.integer(data, "tax_cents", AMOUNT)
        Check.equal("total_cents", Check.integer(data, "total_cents", AMOUNT), subtotal + extra)
      end

      def self.line_total(line)
        Check.match(line, "sku", /\A[A-Z]{3}-\d{5}\z/)
        gross = Check.integer(line, "quantity", 1..10_000) * Check.integer(line, "unit_cents", AMOUNT)
        total = Check.integer(line, "total_cents", AMOUNT)
        Check.equal("total_cents of #{line['sku']}", total, gross - Check.integer(line, "discount_cents", 0..gross))
        total
      end
      private_class_method :line_total
    end
  end
end
