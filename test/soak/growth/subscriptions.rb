# frozen_string_literal: true

require_relative "../support/growth"

POOL = Ratomic::Workers::Pool.new(size: 2, min_batch: 0)

# The same threads, with events from nobody.
control = lambda do |count|
  count.times do
    queue = Thread::Queue.new
    thread = Thread.new { queue.pop }
    queue << ["[]"].map { |text| Ratomic::Workers::ParseJSON.call(text) }.freeze
    thread.join
  end
end
# Subscriptions that come and go, with events.
Soak::Growth.measure(step: 10, control: control) do |count|
  count.times do
    subscription = POOL.subscribe { |event| event }
    POOL.dispatch_async(["[]"], Ratomic::Workers::ParseJSON).value!(timeout: 60)
    subscription.cancel.join(timeout: 60)
  end
end
