# frozen_string_literal: true

require_relative "../support/growth"

MAP = Ratomic::Map.new

# One Map through which entries go.
Soak::Growth.measure(step: 5_000) do |count|
  count.times do |number|
    key = "key #{number % 2_000}"
    MAP[key] = "value #{number}"
    MAP.compute(key) { |value| [value] }
    MAP.increment([key])
    MAP.append("list #{number % 100}", number) if (number % 20).zero?
    MAP.delete(key) if (number % 3).zero?
  end
  MAP.clear
end
