# frozen_string_literal: true

require "test_helper"

class PoolLeaseTest < Minitest::Test
  def test_it_holds_its_object_until_it_is_released
    lease = Ratomic::Pool::Lease.new(7, object = Object.new)
    assert_equal 7, lease.number
    assert_same Thread.current, lease.thread
    refute lease.empty?
    assert_same object, lease.release
    assert lease.empty?
    assert_nil lease.object
    refute lease.hold(object).empty?
  end
end
