# frozen_string_literal: true

require "test_helper"

class PoolLoanTest < Minitest::Test
  def test_it_holds_its_object_until_it_is_surrendered
    loan = Ratomic::Pool::Lease.new(7, object = Object.new)
    assert_equal 7, loan.number
    assert_same Thread.current, loan.thread
    refute loan.empty?
    assert_same object, loan.surrender
    assert loan.empty?
    assert_nil loan.object
    refute loan.hold(object).empty?
  end
end
