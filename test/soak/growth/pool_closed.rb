# frozen_string_literal: true

require_relative "../support/growth"

# Pools made, used and closed; beside it Ractors that are made and end.
control = ->(count) { count.times { Ractor.new { Ractor.receive }.send(nil).join } }
Soak::Growth.measure(step: 10, needs_ractors: true, control: control) do |count|
  count.times do
    pool = Ratomic::Pool.new(2) { [] }
    pool.with { |array| array << 1 }
    pool.close
  end
end
