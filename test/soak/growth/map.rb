# frozen_string_literal: true

require_relative "../support/growth"

# Maps made, filled and dropped, some of them cleared before.
Soak::Growth.measure(step: 200) do |count|
  count.times do |number|
    map = Ratomic::Map.new
    40.times { |key| map["key #{key}"] = ["value", key] }
    map.increment(:count)
    map.compute("key 1") { |value| [value] }
    map.clear if number.even?
  end
end
