# frozen_string_literal: true

require "test_helper"

class PoolRactorClientTest < Minitest::Test
  def setup
    skip_without_ractors
    @pool = Ratomic::Pool.new(1, 1) { [] }
    @client = Ratomic::Pool::RactorClients.here.client(@pool, @pool.send(:channel))
  end

  def teardown
    @pool&.close
  end

  def test_a_lease_goes_out_and_comes_back_once
    lease = @client.lend(1)
    assert_equal [], lease.object
    assert_equal 0, @pool.available
    2.times { @client.take_back(lease, true) }
    assert_equal 1, @pool.available
    assert_nil @client.take_back(nil, true)
  end

  def test_a_refusal_is_nil_or_an_error_with_numbers
    lease = @client.lend(1)
    assert_nil @client.lend(0)
    assert_nil @client.lend(0.01)
    error = assert_raises(Ratomic::TimeoutError) { @client.lend(0.01, must: true) }
    assert_match(/within 0.01 s: 1 are checked out, 0 more callers wait/, error.message)
    @client.take_back(lease, true)
  end

  def test_take_back_raises_only_when_asked_to
    lease = @client.lend(1)
    lease.object.freeze
    assert_nil @client.take_back(lease, false)
    lease = @client.lend(5)
    lease.object.freeze
    assert_raises(Ratomic::OwnershipError) { @client.take_back(lease, true) }
  end

  # A request that is answered after its withdrawal has been given up, as if the server's Ractor got no turn.
  LateAnswer = Struct.new(:number) do
    def wait(seconds)
      number if seconds.nil?
    end

    def withdrawal
      :withdrawn
    end
  end

  def test_an_object_that_comes_after_all_waiting_goes_back
    inbox, orders = Array.new(2) { Ratomic::Queue.new(8) }
    channel = Ratomic::Pool::ServerChannel.new(inbox, Ractor::Port.new, orders, 1) # its server is this test
    client = Ratomic::Pool::RactorClient.new(channel)
    idle = client.instance_variable_get(:@idle_requests)
    idle << (request = LateAnswer.new(7).freeze)
    error = assert_raises(Ratomic::TimeoutError) { client.lend(0.01, must: true) }
    assert_match(/within 0.01 s.*no turn/, error.message)
    client.instance_variable_get(:@port).send([:late], move: true)
    assert_equal 7, channel.returns.pop(timeout: 5)
    assert_equal [:late], within(5) { channel.port.receive }
    eventually { idle == [request] }
    assert_equal [request, :withdrawn], inbox.pop_many(8).last(2)
  ensure
    client&.close
    channel&.port&.close
  end

  def test_a_client_of_a_closed_pool_lends_nothing
    @pool.close
    assert_raises(Ratomic::ClosedError) { @client.lend(1) }
  end
end
