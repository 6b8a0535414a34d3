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

  def test_why_an_object_cannot_go_from_owner_to_owner
    skip_without_ractors
    assert_nil Ratomic::Pool::Lease.immovable([])
    assert_nil Ratomic::Pool::Lease.immovable(BasicObject.new)
    assert_match(/Array is frozen/, Ratomic::Pool::Lease.immovable([].freeze))
    port = Ractor::Port.new
    port.send(moved = [], move: true)
    assert_match(/moved elsewhere/, Ratomic::Pool::Lease.immovable(moved))
  ensure
    port&.close
  end
end
