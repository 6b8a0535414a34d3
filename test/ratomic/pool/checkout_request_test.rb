# frozen_string_literal: true

require "test_helper"

class PoolCheckoutRequestTest < Minitest::Test
  def setup
    @request = Ratomic::Pool::CheckoutRequest.new(:port, 3)
  end

  def test_it_is_a_shareable_message_and_so_are_its_variants
    assert Ractor.shareable?(@request)
    assert_equal [:at_once, @request], @request.at_once
    assert_equal [:withdraw, @request], @request.withdrawal
    assert Ractor.shareable?(@request.at_once)
  end

  def test_it_waits_for_its_answer_and_can_be_used_again
    assert_nil @request.wait(0)
    2.times do |number|
      @request.answer(number)
      assert_equal number, @request.wait(nil)
    end
  end
end
