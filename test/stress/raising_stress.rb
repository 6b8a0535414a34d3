# frozen_string_literal: true

require "test_helper"

# Threads that are killed, or raised into, while a native method makes and raises its own exception. The process lives
# on, and no kill is lost on the way.
class RaisingStress < Minitest::Test
  CLOSED = Ratomic::Queue.new(1).tap(&:close)
  MAP = Ratomic::Map.new.tap { |map| map[:text] = "no number" }
  COUNTER = Ratomic::Counter.new
  RAISES = {
    "a closed queue" => [ClosedQueueError, -> { CLOSED.try_push(1) }],
    "a missing key" => [KeyError, -> { MAP.fetch(:missing) }],
    "a wrong argument" => [TypeError, -> { COUNTER.increment("x") }],
    "a wrong timeout" => [ArgumentError, -> { CLOSED.pop(timeout: -1) }],
    "an unknown keyword" => [ArgumentError, -> { CLOSED.pop(time: 1) }],
    "what is no number" => [TypeError, -> { MAP.increment(:text) }],
    "what cannot be shared" => [Ratomic::ShareableError, -> { MAP[:thread] = Thread.current }]
  }.freeze

  RAISES.each do |what, (error, work)|
    define_method(:"test_a_kill_meets_#{what.tr(" ", "_")}") do
      random = seeded(what.sum)
      stress(8).times do
        thread = Thread.new { loop { raise_once(error, work) } }
        thread.report_on_exception = false
        sleep(random.rand * 0.002)
        # Where something cannot be shared, an error of another thread is taken for the reason.
        random.rand < 0.7 || error == Ratomic::ShareableError ? thread.kill : thread.raise(IOError)
        within(10) { ended(thread) }
      end
    end
  end

  private

  def raise_once(error, work)
    work.call
    flunk "it has not raised"
  rescue error
    nil
  end

  def ended(thread)
    thread.join
  rescue IOError
    thread
  end
end
