# frozen_string_literal: true

require_relative "../support/growth"

# What a LocalPool makes.
module Make
  def self.call = []
end

# LocalPools made, used and dropped.
Soak::Growth.measure(step: 200) do |count|
  count.times do
    pool = Ratomic::LocalPool.new(size: 2, factory: Make)
    pool.with { |array| array << 1 }
  end
end
