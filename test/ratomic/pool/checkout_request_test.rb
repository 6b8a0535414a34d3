# frozen_string_literal: true

require "test_helper"

class PoolTicketTest < Minitest::Test
  def setup
    @ticket = Ratomic::Pool::CheckoutRequest.new(:port, 3)
  end

  def test_it_is_a_shareable_message_and_so_are_its_variants
    assert Ractor.shareable?(@ticket)
    assert_equal [:at_once, @ticket], @ticket.at_once
    assert_equal [:withdraw, @ticket], @ticket.withdrawal
    assert Ractor.shareable?(@ticket.at_once)
  end

  def test_it_waits_for_its_answer_and_can_be_used_again
    assert_nil @ticket.wait(0)
    2.times do |number|
      @ticket.answer(number)
      assert_equal number, @ticket.wait(nil)
    end
  end
end
