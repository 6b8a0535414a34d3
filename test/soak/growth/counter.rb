# frozen_string_literal: true

require_relative "../support/growth"

# Counters made, used and dropped.
Soak::Growth.measure(step: 5_000) do |count|
  count.times { |number| Ratomic::Counter.new(number).increment }
end
