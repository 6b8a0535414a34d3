# frozen_string_literal: true

require_relative "../support/growth"

POOL = Ratomic::Workers::Pool.new(size: 2)
LINES = Array.new(100) { |number| "[#{number}]" }.freeze

# Streams that are read to their end, or left.
Soak::Growth.measure(step: 4) do |count|
  count.times do |number|
    results = POOL.stream(LINES, Ratomic::Workers::ParseJSON, key: (:itself.to_proc if number.even?))
    (number % 3).zero? ? results.first(10) : results.to_a
  end
end
