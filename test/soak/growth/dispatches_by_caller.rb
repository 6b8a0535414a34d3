# frozen_string_literal: true

require_relative "../support/growth"

POOL = Ratomic::Workers::Pool.new(size: 2)

# Small dispatches, which their caller comes to run itself.
Soak::Growth.measure(step: 2_000) do |count|
  count.times { |number| POOL.dispatch_async(["[#{number}]"], Ratomic::Workers::ParseJSON).value!(timeout: 60) }
end
