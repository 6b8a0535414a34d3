# frozen_string_literal: true

require_relative "../support/growth"

POOL = Ratomic::Workers::Pool.new(size: 2, min_batch: 0)
DOCUMENTS = Array.new(20) { |number| %({"number": #{number}, "tags": ["a", "b"]}) }.freeze

# Dispatches whose results are read and dropped.
Soak::Growth.measure(step: 200) do |count|
  futures = Array.new(count) { POOL.dispatch_async(DOCUMENTS, Ratomic::Workers::ParseJSON) }
  futures.each { |future| future.value!(timeout: 60) }
end
