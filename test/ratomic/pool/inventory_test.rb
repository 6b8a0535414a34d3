# frozen_string_literal: true

require "test_helper"

class PoolInventoryTest < Minitest::Test
  # What the inventory needs of a channel, with counters to look at.
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
    @channel = Books.new
    @inventory = Ratomic::Pool::Inventory.new(@channel, 2)
    @inventory.add_client(1)
    @port = Ractor::Port.new
  end

  def teardown
    @port&.close
  end

  def request(client: 1)
    Ratomic::Pool::CheckoutRequest.new(@port, client)
  end

  def fill
    2.times { |i| @inventory.add([i]) }
  end

  # The answer to a refused request: lent, waiting, missing, failure.
  def books
    request.tap { |refused| @inventory.lend_or_refuse(refused) }.wait(0)
  end

  def test_lends_while_there_is_something_free
    fill
    numbers = Array.new(2) { request.tap { |one| @inventory.lend_or_enqueue(one) }.wait(0) }
    assert_equal [1, 2], numbers
    assert_equal [[0], [1]], Array.new(2) { @port.receive }.sort
    assert_equal 2, @channel.lent_out
    assert_equal [2, 0, 0, nil], books
  end

  def test_a_request_waits_until_something_comes_back
    fill
    2.times { @inventory.lend_or_enqueue(request) }
    waiting = request
    @inventory.lend_or_enqueue(waiting)
    assert_nil waiting.wait(0)
    @inventory.take_back(1, [:back])
    @inventory.serve
    assert_equal 3, waiting.wait(0)
    assert_equal 0, @channel.waiting.read
  end

  def test_at_once_never_waits_and_never_overtakes
    waiting = request
    @inventory.lend_or_enqueue(waiting)
    @inventory.add([:only])
    hasty = request
    @inventory.lend_or_refuse(hasty)
    assert_equal 1, waiting.wait(0)
    assert_equal [1, 0, 1, nil], hasty.wait(0)
  end

  def test_a_withdrawn_request_has_one_answer
    waiting = request
    @inventory.lend_or_enqueue(waiting)
    @inventory.withdraw(waiting)
    assert_equal [0, 0, 2, nil], waiting.wait(0)
    fill
    @inventory.lend_or_enqueue(waiting)
    @inventory.withdraw(waiting)
    assert_equal 1, waiting.wait(0)
    assert_nil waiting.wait(0)
  end

  def test_a_lost_object_is_ordered_once
    fill
    @inventory.lend_or_enqueue(request)
    2.times { @inventory.lose(1) }
    assert_equal 1, @channel.orders
    @inventory.take_back(1, [:late])
    @inventory.lend_or_enqueue(request)
    assert_equal [1, 0, 1, nil], books
    assert_equal 3, @channel.lent_out, "the late one counts as free no more"
  end

  def test_a_client_whose_ractor_ended_loses_its_objects_and_its_place_in_the_queue
    fill
    @inventory.add_client(2)
    @inventory.lend_or_enqueue(request(client: 2))
    @inventory.lend_or_enqueue(request)
    waiting = request(client: 2)
    @inventory.lend_or_enqueue(waiting)
    @inventory.remove_client(2)
    assert_equal [1, 0, 1, nil], books
    assert_nil waiting.wait(0)
    @inventory.withdraw(waiting)
    assert_kind_of Array, waiting.wait(0)
  end

  def test_an_object_that_could_not_be_delivered_is_ordered_again
    fill
    gone = Ractor::Port.new.tap(&:close)
    @inventory.lend_or_enqueue(Ratomic::Pool::CheckoutRequest.new(gone, 1))
    assert_equal 1, @channel.orders
    @inventory.lend_or_enqueue(request)
    assert_equal [1, 0, 1, nil], books
    assert_equal 2, @channel.lent_out
  end

  def test_the_error_of_the_factory_is_reported_until_it_succeeds
    @inventory.failure = "IOError: no"
    assert_equal "IOError: no", books.last
    @inventory.add([])
    @inventory.lend_or_enqueue(request)
    assert_nil books.last
  end

  def test_every_request_is_refused_at_the_end
    requests = [request, request(client: 7)].each { |one| @inventory.lend_or_enqueue(one) }
    @inventory.refuse_all
    assert_equal %i[closed closed], requests.map { |one| one.wait(0) }
  end
end
