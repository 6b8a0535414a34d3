# frozen_string_literal: true

require_relative "../support/growth"

POOL = Ratomic::Workers::Pool.new(size: 2, min_batch: 0)

# Subscriptions that come and go, with events.
Soak::Growth.measure(step: 10) do |count|
  count.times do
    subscription = POOL.subscribe { |event| event }
    POOL.dispatch_async(["[]"], Ratomic::Workers::ParseJSON).value!(timeout: 60)
    subscription.cancel.join(timeout: 60)
  end
end
