# frozen_string_literal: true

require_relative "../support/growth"

POOL = Ratomic::Workers::Pool.new(size: 2, min_batch: 0)
MAP = Ratomic::Map.new
MAP[:key] = "value"

# Forked children that use a pool and a Map; it is the parent that is measured.
Soak::Growth.measure(step: 3) do |count|
  POOL.dispatch_async(["[]"], Ratomic::Workers::ParseJSON).value!(timeout: 60)
  count.times do |number|
    pid = fork do
      MAP[:key] = number
      POOL.dispatch_async(["[1]"], Ratomic::Workers::ParseJSON).value!(timeout: 60)
      exit!(0)
    end
    raise Soak::Wrong, "a child ended with #{$?}" unless Process.wait(pid) && $?.success?
  end
end
