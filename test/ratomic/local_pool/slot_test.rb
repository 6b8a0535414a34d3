# frozen_string_literal: true

require "test_helper"

class LocalPoolSlotTest < Minitest::Test
  def setup
    @slot = Ratomic::LocalPool::Slot.new(:stack)
  end

  def test_a_new_slot_is_free_and_empty
    assert @slot.free?
    assert_nil @slot.resource
    assert_equal :stack, @slot.stack
  end

  def test_only_what_was_checked_out_is_checked_out
    @slot.resource = resource = Object.new
    refute @slot.checked_out?(resource)
    assert @slot.hold(Thread.current, false).checked_out?(resource)
    refute @slot.checked_out?(Object.new)
    refute @slot.hold(Thread.current, true).checked_out?(resource)
  end

  def test_the_slot_of_a_dead_thread_is_an_orphan_and_free
    @slot.hold(Thread.current, false)
    refute @slot.free?
    @slot.hold(Thread.new { nil }.tap(&:join), false)
    assert @slot.orphan?
    assert @slot.free?
  end

  def test_emptying_forgets_the_resource_and_what_was_wrong_with_it
    @slot.resource = :broken
    @slot.discarded = true
    assert_equal :broken, @slot.empty
    assert_nil @slot.resource
    refute @slot.discarded
  end
end
