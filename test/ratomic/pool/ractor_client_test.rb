# frozen_string_literal: true

require "test_helper"

class PoolDeskTest < Minitest::Test
  def setup
    skip_without_ractors
    @pool = Ratomic::Pool.new(1, 1) { [] }
    @desk = Ratomic::Pool::RactorClients.here.desk(@pool, @pool.send(:link))
  end

  def teardown
    @pool&.close
  end

  def test_a_loan_goes_out_and_comes_back_once
    loan = @desk.lend(1)
    assert_equal [], loan.object
    assert_equal 0, @pool.available
    2.times { @desk.take_back(loan, true) }
    assert_equal 1, @pool.available
    assert_nil @desk.take_back(nil, true)
  end

  def test_a_refusal_is_nil_or_an_error_with_numbers
    loan = @desk.lend(1)
    assert_nil @desk.lend(0)
    assert_nil @desk.lend(0.01)
    error = assert_raises(Ratomic::TimeoutError) { @desk.lend(0.01, must: true) }
    assert_match(/within 0.01 s: 1 are checked out, 0 more callers wait/, error.message)
    @desk.take_back(loan, true)
  end

  def test_complaints_are_for_those_who_can_hear_them
    loan = @desk.lend(1)
    loan.object.freeze
    assert_nil @desk.take_back(loan, false)
    loan = @desk.lend(5)
    loan.object.freeze
    assert_raises(Ratomic::OwnershipError) { @desk.take_back(loan, true) }
  end

  def test_a_desk_of_a_closed_pool_lends_nothing
    @pool.close
    assert_raises(Ratomic::ClosedError) { @desk.lend(1) }
  end
end
