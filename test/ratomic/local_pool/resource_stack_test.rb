# frozen_string_literal: true

require "test_helper"

class LocalPoolStockTest < Minitest::Test
  def setup
    made = @made = []
    @closed = closed = []
    closer = Ratomic::LocalPool::Closer.new(->(resource) { closed << resource })
    @stock = Ratomic::LocalPool::ResourceStack.new(2, -> { Object.new.tap { |one| made << one } }, closer)
  end

  def take
    @stock.claim(0, lent: false)&.tap { |slot| @stock.fill(slot) }
  end

  def test_slots_are_bounded_and_filled_when_needed
    first = take
    second = take
    assert_nil take
    assert_equal @made, [first.resource, second.resource]
    @stock.give(first)
    assert_same first, take
    assert_equal 2, @made.size
  end

  def test_a_slot_without_a_resource_is_lent_only_when_no_full_one_is_there
    full = take
    @stock.give(full)
    assert_same full, take
  end

  def test_outdated_broken_and_unwanted_resources_are_closed_when_they_come_back
    first = take
    @stock.reload
    @stock.give(first)
    assert_equal 1, @closed.size
    second = take
    second.discarded = true
    @stock.give(second)
    assert_equal 2, @closed.size
    third = take
    @stock.close
    @stock.give(third)
    assert_equal @made, @closed
    assert_equal 2, @stock.available
    assert_raises(Ratomic::ClosedError) { take }
  end

  def test_a_resource_that_outlived_a_reload_in_hand_is_not_lent_again
    slot = take
    @stock.give(slot)
    claimed = @stock.claim(0, lent: true)
    @stock.reload
    @stock.fill(claimed)
    assert_equal [@made.first], @closed
    assert_same @made.last, claimed.resource
  end

  def test_a_thread_that_leaves_gives_up_what_it_checked_out
    take
    other = Thread.new { take }.tap(&:join)
    @stock.leave(other, false)
    assert_equal [@made.last], @closed
    @stock.leave(Thread.current, true)
    assert_equal 2, @closed.size
    assert @stock.closed?
  end
end
