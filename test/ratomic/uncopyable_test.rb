# frozen_string_literal: true

require "test_helper"

class UncopyableTest < Minitest::Test
  def test_a_pool_cannot_be_copied
    pools.each do |pool|
      %i[dup clone].each do |copy|
        error = assert_raises(TypeError) { pool.public_send(copy) }
        assert_equal "an instance of #{pool.class} cannot be copied; use the same object everywhere", error.message
      end
    end
  end

  private

  def pools
    local = Ratomic::LocalPool.new(factory: Ratomic::Workers::ParseJSON)
    [local, Ratomic::Workers::Pool.new, *(Ratomic::Pool.new(size: 1) { [] } if Ratomic::RACTORS)]
  end
end
