# frozen_string_literal: true

require "test_helper"

# A write waits no longer for another thread's block than its `timeout:` says.
class MapClaimTimeoutTest < Minitest::Test
  def setup
    @map = Ratomic::Map.new
    @map[:a] = 1
    @gate = Thread::Queue.new
    @owner = Thread.new { @map.compute(:a) { |value| @gate.pop && value } }
    until_asleep(@owner)
  end

  def teardown
    @gate << 1
    within(5) { @owner.join }
  end

  # Each of them with a `timeout:`, and what it answers when nobody is in its way.
  def writes(timeout)
    { set: -> { @map.set(:a, 1, timeout: timeout) }, store: -> { @map.store(:a, 1, timeout: timeout) },
      increment: -> { @map.increment(:a, timeout: timeout) }, float: -> { @map.increment(:a, 0.5, timeout: timeout) },
      decrement: -> { @map.decrement(:a, 1r, timeout: timeout) },
      compute: -> { @map.compute(:a, timeout: timeout) { 2 } },
      upsert: -> { @map.upsert(:a, 1, timeout: timeout) { 2 } },
      modify: -> { @map.fetch_and_modify(:a, timeout: timeout) { 2 } },
      compare: -> { @map.compare_and_set(:a, 1, 2, timeout: timeout) },
      append: -> { @map.append(:a, 1, timeout: timeout) }, add: -> { @map.add_to_set(:a, 1, timeout: timeout) },
      update: -> { @map.update({ b: 3, a: 2 }, timeout: timeout) { 2 } },
      delete: -> { @map.delete(:a, timeout: timeout) }, clear: -> { @map.clear(timeout: timeout) } }
  end

  def test_when_the_time_is_up_a_write_raises_a_timeout_error_and_nothing_has_changed
    [0, 0.02].each do |timeout|
      writes(timeout).each do |name, write|
        error = within(5) { assert_raises(Ratomic::TimeoutError, name.to_s, &write) }
        assert_match(/a value|:a/, error.message)
        assert_includes error.message, "after #{timeout} s"
        assert_equal({ a: 1 }, @map.to_h, name.to_s)
      end
    end
  end

  def test_a_write_of_an_unclaimed_key_succeeds_with_a_timeout_of_zero
    assert_equal 5, @map.set(:b, 5, timeout: 0)
    assert_equal 6, @map.increment(:b, timeout: 0)
    assert_equal 7, @map.fetch_or_store(:c, timeout: 0) { 7 }
    assert_equal 6, @map.delete(:b, timeout: 0)
  end

  def test_fetch_or_store_waits_for_a_key_that_has_no_value_yet
    within(5) do
      owner = Thread.new { @map.compute(:new) { @gate.pop } }
      until_asleep(owner)
      assert_raises(Ratomic::TimeoutError) { @map.fetch_or_store(:new, timeout: 0.01) { 1 } }
      2.times { @gate << 4 }
      owner.join
    end
  end

  def test_a_block_that_ends_in_time_is_waited_for
    [nil, 30].each do |timeout|
      map = Ratomic::Map.new
      gate = Thread::Queue.new
      owner = Thread.new { map.compute(:a) { gate.pop } }
      until_asleep(owner)
      writer = Thread.new { map.increment(:a, 2, timeout: timeout) }
      until_asleep(writer)
      gate << 5
      assert_equal 7, within(5) { writer.value }
    end
  end

  def test_a_writer_whose_timeout_passed_does_not_block_others
    assert_raises(Ratomic::TimeoutError) { @map.set(:a, 5, timeout: 0.01) }
    within(5) do
      error = Thread.new { assert_raises(Ratomic::TimeoutError) { @map.set(:a, 6, timeout: 0.01) } }.value
      assert_match(/:a/, error.message)
      @gate << 1
      @owner.join
      assert_equal 7, @map.set(:a, 7)
    end
  end

  def test_an_invalid_timeout_is_refused
    assert_raises(ArgumentError) { @map.set(:b, 1, timeout: -1) }
    assert_raises(TypeError) { @map.set(:b, 1, timeout: "1") }
    assert_match(/unknown keyword: :seconds/, assert_raises(ArgumentError) { @map.set(:b, 1, seconds: 1) }.message)
    assert_raises(ArgumentError) { @map.compute(:b, 1) { 1 } }
    refute @map.key?(:b)
    @map.set(:b, { timeout: 1 })
    assert_equal({ timeout: 1 }, @map[:b], "a Hash is a value")
  end
end
