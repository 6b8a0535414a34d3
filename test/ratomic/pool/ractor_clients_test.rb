# frozen_string_literal: true

require "test_helper"

class PoolDesksTest < Minitest::Test
  def setup
    skip_without_ractors
    @desks = Ratomic::Pool::RactorClients.here
    @pool = Ratomic::Pool.new(1, 1) { [] }
  end

  def teardown
    @pool&.close
  end

  def test_a_ractor_has_one_desk_at_a_pool
    link = @pool.send(:link)
    desks = Array.new(4) { Thread.new { @desks.desk(@pool, link) } }.map(&:value)
    assert_equal 1, desks.uniq.size
    assert_same Ratomic::Pool::RactorClients.here, @desks
  end

  def test_another_link_needs_another_desk
    other = Ratomic::Pool.new(1, 1) { [] }
    refute_same @desks.desk(@pool, @pool.send(:link)), @desks.desk(@pool, other.send(:link))
  ensure
    other&.close
  end
end
