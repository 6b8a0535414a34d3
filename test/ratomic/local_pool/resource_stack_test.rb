# frozen_string_literal: true

require "test_helper"

class LocalPoolResourceStackTest < Minitest::Test
  def setup
    made = @made = []
    @closed = closed = []
    closer = Ratomic::LocalPool::Closer.new(->(resource) { closed << resource })
    @stack = Ratomic::LocalPool::ResourceStack.new(2, -> { Object.new.tap { |one| made << one } }, closer)
  end

  def take
    @stack.claim(0, lent: false)&.tap { |slot| @stack.fill(slot) }
  end

  def test_slots_are_bounded_and_filled_when_needed
    first = take
    second = take
    assert_nil take
    assert_equal @made, [first.resource, second.resource]
    @stack.give(first)
    assert_same first, take
    assert_equal 2, @made.size
  end

  def test_a_slot_without_a_resource_is_lent_only_when_no_full_one_is_there
    full = take
    @stack.give(full)
    assert_same full, take
  end

  def test_outdated_broken_and_unwanted_resources_are_closed_when_they_come_back
    first = take
    @stack.reload
    @stack.give(first)
    assert_equal 1, @closed.size
    second = take
    second.discarded = true
    @stack.give(second)
    assert_equal 2, @closed.size
    third = take
    @stack.close
    @stack.give(third)
    assert_equal @made, @closed
    assert_equal 2, @stack.available
    assert_raises(Ratomic::ClosedError) { take }
  end

  def test_a_resource_that_outlived_a_reload_in_hand_is_not_lent_again
    slot = take
    @stack.give(slot)
    claimed = @stack.claim(0, lent: true)
    @stack.reload
    @stack.fill(claimed)
    assert_equal [@made.first], @closed
    assert_same @made.last, claimed.resource
  end

  def test_a_thread_that_leaves_gives_up_what_it_checked_out
    take
    other = Thread.new { take }.tap(&:join)
    @stack.leave(other, false)
    assert_equal [@made.last], @closed
    @stack.leave(Thread.current, true)
    assert_equal 2, @closed.size
    assert @stack.closed?
  end
end
