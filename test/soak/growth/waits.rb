# frozen_string_literal: true

require_relative "../support/growth"

QUEUE = Ratomic::Queue.new(1)
LATCH = Ratomic::Workers::Completion.new(1)

# Waits that end by their timeout, and by the end of their thread.
Soak::Growth.measure(step: 20) do |count|
  count.times do
    10.times { QUEUE.pop(timeout: 0.00001) || LATCH.wait(0.00001) }
    Thread.new { QUEUE.pop }.kill.join
  end
end
