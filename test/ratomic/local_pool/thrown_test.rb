# frozen_string_literal: true

require "test_helper"
require "timeout"

class LocalPoolThrownTest < Minitest::Test
  module Make
    def self.call
      Object.new
    end
  end

  # Old Timeouts leave by a throw, new ones by an exception; a throw of the block's own is neither.
  def test_a_timeout_is_distinguished_from_a_throw
    pool = Ratomic::LocalPool.new(size: 1, factory: Make)
    first = pool.with { |resource| resource }
    catch(:out) { pool.with { throw :out } }
    assert_same(first, pool.with { |resource| resource })
    entered = false
    until entered # on a busy machine the time may be up before
      assert_raises(Timeout::Error) { Timeout.timeout(0.05) { pool.with { (entered = true) && sleep } } }
    end
    second = pool.with { |resource| resource }
    refute_same first, second
    catch(:out) { pool.with { throw :out } }
    assert_same(second, pool.with { |resource| resource })
  end
end
