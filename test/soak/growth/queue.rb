# frozen_string_literal: true

require_relative "../support/growth"

# Queues made, filled and dropped full, some of them closed or emptied before.
Soak::Growth.measure(step: 200) do |count|
  count.times do |number|
    queue = Ratomic::Queue.new(40)
    40.times { |item| queue << "item #{item}" }
    queue.pop_many(40) if (number % 3).zero?
    queue.close if number.even?
  end
end
