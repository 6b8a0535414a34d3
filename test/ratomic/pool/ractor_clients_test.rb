# frozen_string_literal: true

require "test_helper"

class PoolRactorClientsTest < Minitest::Test
  def setup
    skip_without_ractors
    @clients = Ratomic::Pool::RactorClients.here
    @pool = Ratomic::Pool.new(1, 1) { [] }
  end

  def teardown
    @pool&.close
  end

  def test_a_ractor_has_one_client_of_a_pool
    channel = @pool.send(:channel)
    clients = Array.new(4) { Thread.new { @clients.client(@pool, channel) } }.map(&:value)
    assert_equal 1, clients.uniq.size
    assert_same Ratomic::Pool::RactorClients.here, @clients
  end

  def test_another_channel_needs_another_client
    other = Ratomic::Pool.new(1, 1) { [] }
    refute_same @clients.client(@pool, @pool.send(:channel)), @clients.client(@pool, other.send(:channel))
  ensure
    other&.close
  end
end
