# frozen_string_literal: true

require "test_helper"

class PoolLaunchTest < Minitest::Test
  Starter = Ratomic::Pool::Starter

  def setup
    skip_without_ractors
  end

  def test_what_a_pool_can_lend
    assert_equal [], Starter.check([])
    [1, nil, :symbol, "frozen", [].freeze, Object].each do |object|
      assert_raises(Ratomic::OwnershipError) { Starter.check(object) }
    end
  end

  def test_the_link_is_ready_and_all_objects_are_free
    link = Starter.new(3, -> { [] }).link
    assert_equal 3, link.free
    refute link.closed?
  ensure
    link&.close
  end

  def test_a_shareable_factory_needs_no_thread_here
    others = Thread.list # some of which may be ending
    link = Starter.new(1, Ractor.shareable_proc { [] }).link
    assert_empty Thread.list - others
  ensure
    link&.close
  end
end
