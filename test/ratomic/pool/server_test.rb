# frozen_string_literal: true

require "test_helper"

class PoolServerTest < Minitest::Test
  def setup
    skip_without_ractors
    @pool = Ratomic::Pool.new(1, 1) { [] }
    @link = @pool.send(:link)
    @port = Ractor::Port.new
    @desk = @link.new_desk
    @link.report([:opened, @desk, nil].freeze)
  end

  def teardown
    @pool&.close
    @port&.close
  end

  def ticket
    Ratomic::Pool::CheckoutRequest.new(@port, @desk)
  end

  def test_every_ticket_gets_exactly_one_answer
    tickets = Array.new(3) { ticket.tap { |one| @link.report(one) } }
    assert_kind_of Integer, tickets[0].wait(5)
    assert_equal [], @port.receive
    @link.report(tickets[1].withdrawal)
    assert_equal [1, 1, 0, nil], tickets[1].wait(5)
    @pool.close
    assert_equal :closed, tickets[2].wait(5)
    tickets.each { |one| assert_nil one.wait(0) }
  end

  def test_a_return_with_nobody_waiting_is_there_for_the_next
    first = ticket.tap { |one| @link.report(one) }
    number = first.wait(5)
    @link.bring_back(@port.receive, number)
    second = ticket
    @link.report(second.at_once)
    assert_kind_of Integer, second.wait(5)
  end

  def test_a_ticket_of_a_desk_that_never_opened_is_not_served
    stranger = Ratomic::Pool::CheckoutRequest.new(@port, 99)
    @link.report(stranger)
    @link.report(stranger.withdrawal)
    assert_equal [0, 0, 0, nil], stranger.wait(5)
  end
end
