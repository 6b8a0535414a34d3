# frozen_string_literal: true

require_relative "../support/growth"

POOL = Ratomic::Workers::Pool.new(size: 2, min_batch: 0)
ITEMS = Array.new(20) { |number| "{no JSON #{number}" }.freeze

# The same without a pool: exceptions raised and told of.
module Plain
  def self.call(item)
    Ratomic::Workers::ParseJSON.call(item)
  rescue StandardError => e
    [e.class.name, e.message, e.backtrace].freeze
  end
end

control = ->(count) { count.times { ITEMS.map { |item| Plain.call(item) } } }
# Dispatches of which every item fails.
Soak::Growth.measure(step: 20, control: control) do |count|
  count.times { POOL.dispatch_async(ITEMS, Ratomic::Workers::ParseJSON).value(timeout: 60) }
end
