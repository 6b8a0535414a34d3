# frozen_string_literal: true

require_relative "../support/growth"

POOL = Ratomic::Workers::Pool.new(size: 2, min_batch: 0)
ITEMS = Array.new(50) { |number| "[#{number}]" }.freeze

# Dispatches that are cancelled, some of them while they run, with their results read or not.
Soak::Growth.measure(step: 100) do |count|
  count.times do |number|
    future = POOL.dispatch_async(ITEMS, Ratomic::Workers::ParseJSON)
    Thread.pass if number.even?
    future.cancel(interrupt: (number % 10).zero?)
    future.value(timeout: 60) if (number % 3).zero?
  end
end
