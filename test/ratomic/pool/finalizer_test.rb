# frozen_string_literal: true

require "test_helper"

class PoolFinalizerTest < Minitest::Test
  ServerChannel = Struct.new(:calls) do
    def close
      calls.increment
    end
  end

  def test_it_closes_the_present_channel
    channels = Ratomic::Map.new
    channels[:current] = ServerChannel.new(calls = Ratomic::Counter.new).freeze
    Ratomic::Pool::Finalizer.new(channels).call(1)
    assert_equal 1, calls.read
    assert Ractor.shareable?(Ratomic::Pool::Finalizer.new(channels))
  end
end
