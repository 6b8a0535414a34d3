# frozen_string_literal: true

require_relative "../support/growth"

# Worker pools made, used and shut down; beside it as many Ractors with a thread, that end.
control = lambda do |count|
  count.times { Array.new(2) { Ractor.new { Thread.new { Ractor.receive }.join } }.each { |one| one.send(1).join } }
end
control = nil unless Ratomic::RACTORS
Soak::Growth.measure(step: 5, control: control) do |count|
  count.times do
    pool = Ratomic::Workers::Pool.new(size: 2, min_batch: 0)
    pool.dispatch_async(["[1]", "[2]", "[3]"], Ratomic::Workers::ParseJSON).value
    pool.shutdown
  end
end
