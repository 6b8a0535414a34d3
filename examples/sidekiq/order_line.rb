# frozen_string_literal: true

require "json"
require "ratomic"

# What the workers do: parses one line of an order, and holds it against the policy of the tenant, which is the context
# of the dispatch.
module OrderLine
  # The line costs more than the tenant may spend.
  class OverLimit < StandardError; end

  # What is wrong with a line, and not with the program.
  REJECTIONS = %w[JSON::ParserError KeyError OrderLine::OverLimit].freeze
  # Seconds that the supplier takes to answer. Some lines need an answer of the supplier.
  SUPPLIER = Float(ENV.fetch("SUPPLIER_SECONDS", "0"))

  # @param line [String]
  # @return [Integer] cents
  # @raise [JSON::ParserError, KeyError, OverLimit]
  def self.call(line)
    sleep(SUPPLIER) if line.include?('"ask":true')
    cents(line, Ratomic::Workers.context)
  end

  # @param line [String] JSON
  # @param policy [Policy]
  # @return [Integer]
  # @raise (see .call)
  def self.cents(line, policy)
    cents = JSON.parse(line).fetch("items").sum { |item| item.fetch("cents") * item.fetch("count") }
    raise OverLimit, "#{cents} cents, and the limit is #{policy.limit_cents}" if cents > policy.limit_cents

    cents
  end
end
