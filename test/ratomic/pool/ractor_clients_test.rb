# frozen_string_literal: true

require "test_helper"

class PoolRactorClientsTest < Minitest::Test
  ServerChannel = Struct.new(:calls) do
    def close
      calls.increment
    end
  end

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

  def test_the_finalizer_closes_the_current_channel_and_is_shareable
    channels = Ratomic::Map.new
    channels[:current] = ServerChannel.new(calls = Ratomic::Counter.new).freeze
    Ratomic::Pool::RactorClients::Finalizer.new(channels).call(1)
    assert_equal 1, calls.read
    assert Ractor.shareable?(Ratomic::Pool::RactorClients::Finalizer.new(channels))
  end
end
