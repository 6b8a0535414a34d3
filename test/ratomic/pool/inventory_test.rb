# frozen_string_literal: true

require "test_helper"

class PoolInventoryTest < Minitest::Test
  # What the ledger needs of a link, with counters to look at.
  class Books
    attr_reader :waiting, :lent_out, :orders

    def initialize
      @waiting = Ratomic::Counter.new
      @lent_out = 0
      @orders = 0
    end

    def lent
      @lent_out += 1
    end

    def order
      @orders += 1
    end
  end

  def setup
    skip_without_ractors
    @link = Books.new
    @ledger = Ratomic::Pool::Inventory.new(@link, 2)
    @ledger.open_desk(1)
    @port = Ractor::Port.new
  end

  def teardown
    @port&.close
  end

  def ticket(desk: 1)
    Ratomic::Pool::CheckoutRequest.new(@port, desk)
  end

  def fill
    2.times { |i| @ledger.add([i]) }
  end

  # Who waits, as the ledger tells whoever is refused: lent, waiting, owed, failure.
  def books
    ticket.tap { |refused| @ledger.enter_or_refuse(refused) }.wait(0)
  end

  def test_lends_while_there_is_something_free
    fill
    numbers = Array.new(2) { ticket.tap { |one| @ledger.enter(one) }.wait(0) }
    assert_equal [1, 2], numbers
    assert_equal [[0], [1]], Array.new(2) { @port.receive }.sort
    assert_equal [2, 0, 0, nil], books
  end

  def test_a_ticket_waits_until_something_comes_back
    fill
    2.times { @ledger.enter(ticket) }
    waiting = ticket
    @ledger.enter(waiting)
    assert_nil waiting.wait(0)
    @ledger.take_back(1, [:back])
    @ledger.serve
    assert_equal 3, waiting.wait(0)
    assert_equal 0, @link.waiting.read
  end

  def test_at_once_never_waits_and_never_overtakes
    waiting = ticket
    @ledger.enter(waiting)
    @ledger.add([:only])
    hasty = ticket
    @ledger.enter_or_refuse(hasty)
    assert_equal 1, waiting.wait(0)
    assert_equal [1, 0, 1, nil], hasty.wait(0)
  end

  def test_a_withdrawn_ticket_has_one_answer
    waiting = ticket
    @ledger.enter(waiting)
    @ledger.withdraw(waiting)
    assert_equal [0, 0, 2, nil], waiting.wait(0)
    fill
    @ledger.enter(waiting)
    @ledger.withdraw(waiting)
    assert_equal 1, waiting.wait(0)
    assert_nil waiting.wait(0)
  end

  def test_a_lost_object_is_owed_once
    fill
    @ledger.enter(ticket)
    2.times { @ledger.lose(1) }
    assert_equal 1, @link.orders
    @ledger.take_back(1, [:late])
    @ledger.enter(ticket)
    assert_equal [1, 0, 1, nil], books
  end

  def test_a_closed_desk_loses_what_it_held_and_its_place_in_the_line
    fill
    @ledger.open_desk(2)
    @ledger.enter(ticket(desk: 2))
    @ledger.enter(ticket)
    waiting = ticket(desk: 2)
    @ledger.enter(waiting)
    @ledger.close_desk(2)
    assert_equal [1, 0, 1, nil], books
    assert_nil waiting.wait(0)
    @ledger.withdraw(waiting)
    assert_kind_of Array, waiting.wait(0)
  end

  def test_an_object_that_could_not_be_delivered_is_owed
    fill
    gone = Ractor::Port.new.tap(&:close)
    @ledger.enter(Ratomic::Pool::CheckoutRequest.new(gone, 1))
    assert_equal 1, @link.orders
    @ledger.enter(ticket)
    assert_equal [1, 0, 1, nil], books
  end

  def test_the_reason_why_the_maker_failed_is_told_until_it_succeeds
    @ledger.failure = "IOError: no"
    assert_equal "IOError: no", books.last
    @ledger.add([])
    @ledger.enter(ticket)
    assert_nil books.last
  end

  def test_everybody_is_turned_away_at_the_end
    tickets = [ticket, ticket(desk: 7)].each { |one| @ledger.enter(one) }
    @ledger.turn_all_away
    assert_equal %i[closed closed], tickets.map { |one| one.wait(0) }
  end
end
