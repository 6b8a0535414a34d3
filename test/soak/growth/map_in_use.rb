# frozen_string_literal: true

require_relative "../support/growth"

MAP = Ratomic::Map.new

# One Map through which entries go. Its keys are interned, as those of a Hash are.
Soak::Growth.measure(step: 5_000, interns: true) do |count|
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
