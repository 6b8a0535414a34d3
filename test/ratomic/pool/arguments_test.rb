# frozen_string_literal: true

require "test_helper"

class PoolWaitingTest < Minitest::Test
  Waiting = Ratomic::Pool::Waiting

  def test_a_size_is_an_integer_from_one_to_the_most
    assert_equal 1, Waiting.size(1)
    assert_equal 2**20, Waiting.size(2**20)
    [0, -1, (2**20) + 1].each { |size| assert_raises(ArgumentError) { Waiting.size(size) } }
    [nil, 1.0, "1"].each { |size| assert_raises(TypeError) { Waiting.size(size) } }
  end

  def test_a_timeout_is_nil_or_a_number_of_seconds
    assert_nil Waiting.timeout(nil)
    [0, 0.5, 3r].each { |timeout| assert_equal timeout, Waiting.timeout(timeout) }
    assert_raises(ArgumentError) { Waiting.timeout(-0.1) }
    assert_raises(ArgumentError) { Waiting.timeout(Float::NAN) }
    assert_raises(TypeError) { Waiting.timeout("1") }
  end

  def test_a_killed_thread_finishes_what_is_masked
    masked = Thread::Queue.new
    steps = []
    thread = Thread.new do
      Thread.handle_interrupt(Waiting::NEVER) do
        masked << true
        Thread.pass until Thread.pending_interrupt?
        steps << :masked
      end
      steps << :after
    end
    masked.pop
    thread.kill
    within(5) { thread.join }
    assert_equal [:masked], steps
  end

  def test_what_keeps_an_object_from_changing_hands
    skip_without_ractors
    assert_nil Waiting.immovable([])
    assert_nil Waiting.immovable(BasicObject.new)
    assert_match(/Array is frozen/, Waiting.immovable([].freeze))
    port = Ractor::Port.new
    port.send(moved = [], move: true)
    assert_match(/moved elsewhere/, Waiting.immovable(moved))
  ensure
    port&.close
  end
end
