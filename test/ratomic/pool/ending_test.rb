# frozen_string_literal: true

require "test_helper"

class PoolEndingTest < Minitest::Test
  def outside?(error)
    Ratomic::Pool::Ending.from_outside?(error)
  end

  # Whatever it is asked.
  class Rude < StandardError
    def message
      raise "no"
    end
    alias to_s message
  end

  def test_errors_of_the_block_itself_are_not_from_outside
    own = [IOError.new, RuntimeError.new("x"), NotImplementedError.new, Ratomic::TimeoutError.new, Rude.new, nil]
    own.each { |error| refute outside?(error), error.class.name }
  end

  def test_signals_timeouts_and_other_exceptions_are_from_outside
    [Timeout::Error.new, Interrupt.new, SignalException.new("TERM"), SystemExit.new, NoMemoryError.new,
     RuntimeError.new("execution expired")].each { |error| assert outside?(error), error.class.name }
  end

  def test_a_kill_is_from_outside
    seen = nil
    thread = Thread.new do
      sleep
    ensure
      seen = outside?(nil)
    end
    until_asleep(thread)
    thread.kill
    within(5) { thread.join }
    assert_equal true, seen
  end
end
