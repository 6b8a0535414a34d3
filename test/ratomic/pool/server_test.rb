# frozen_string_literal: true

require "test_helper"
require "support/refusal"

class PoolServerTest < Minitest::Test
  include Refusal

  def setup
    skip_without_ractors
    @pool = Ratomic::Pool.new(1, 1) { [] }
    @channel = @pool.send(:channel)
    @port = Ractor::Port.new
    @client = @channel.next_client_number
    @channel.report([:client_added, @client, nil].freeze)
  end

  def teardown
    @pool&.close
    @port&.close
  end

  def request
    Ratomic::Pool::CheckoutRequest.new(@port, @client)
  end

  def test_every_request_gets_exactly_one_answer
    requests = Array.new(3) { request.tap { |one| @channel.report(one) } }
    assert_kind_of Integer, requests[0].wait(5)
    assert_equal [], @port.receive
    @channel.report(requests[1].withdrawal)
    assert_equal [1, 1, 0, nil], requests[1].wait(5)
    @pool.close
    assert_equal :closed, requests[2].wait(5)
    requests.each { |one| assert_nil one.wait(0) }
  end

  # Here the objects cannot reach it.
  def test_requests_that_are_still_in_the_inbox_when_an_error_ends_the_server_are_answered
    channel = new_channel
    requests = Array.new(2) { request }
    [:made, requests[0], requests[1].at_once].each { |message| channel.report(message) }
    channel.port.close
    assert_raises(Ractor::ClosedError) { Ratomic::Pool::Server.new(channel, 1, nil).run }
    assert_equal(%i[closed closed], requests.map { |one| one.wait(5) })
    assert_predicate channel, :closed?
  end

  def new_channel
    Ratomic::Pool::ServerChannel.new(Ratomic::Queue.new(3), Ractor::Port.new, Ratomic::Queue.new(1), 1)
  end

  # Also where that Ractor has not closed the pool itself.
  def test_it_ends_with_the_ractor_that_has_the_factory
    maker = Ractor.new { Ractor.receive }
    server = Ratomic::Pool::Server.new(channel = new_channel, 0, maker)
    runner = Thread.new { server.run }
    until_asleep(runner)
    refute_predicate channel, :closed?
    maker.send(:end)
    assert runner.join(5), "it goes on"
    assert_predicate channel, :closed?
  end

  def test_an_object_that_comes_back_without_waiters_is_lent_to_the_next_request
    first = request.tap { |one| @channel.report(one) }
    number = first.wait(5)
    @channel.send_back(@port.receive, number)
    second = request
    @channel.report(second.at_once)
    assert_kind_of Integer, second.wait(5)
  end

  def test_a_request_of_an_unknown_client_is_not_served
    stranger = Ratomic::Pool::CheckoutRequest.new(@port, 99)
    @channel.report(stranger)
    @channel.report(stranger.withdrawal)
    assert_equal [0, 0, 0, nil], stranger.wait(5)
  end

  # The request that waits is the server's last message.
  def test_a_monitor_that_could_not_be_made_is_made_later_and_needs_no_message
    refuse("ratomic-pool-monitor", 3) do
      in_ractor(@pool) { |pool| pool.checkout(timeout: 30) } # which ends with the Ractor
      assert(within(10) { @pool.with(timeout: 30) { true } })
    end
  end

  def test_a_server_that_tries_to_make_its_monitor_ends_when_the_pool_is_closed
    assert_leaves_nothing do
      refuse("ratomic-pool-monitor", 1_000_000) do
        pool = Ratomic::Pool.new(size: 1) { [] }
        in_ractor(pool) { |shared| shared.with(timeout: 30) { nil } }
        assert_equal [1, 1], Array.new(2) { pool.with(timeout: 30) { 1 } }
        pool.close
      end
    end
  end

  def test_a_pool_of_another_ractor_starts_without_a_monitor
    refuse("ratomic-pool-monitor") do
      assert_equal 1, within(10) { in_ractor { Ratomic::Pool.new(size: 1, timeout: 30) { [1] }.with(&:sum) } }
    end
  end
end
