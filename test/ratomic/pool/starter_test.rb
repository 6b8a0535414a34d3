# frozen_string_literal: true

require "test_helper"

class PoolStarterTest < Minitest::Test
  Starter = Ratomic::Pool::Starter

  def setup
    skip_without_ractors
  end

  def test_the_factory_must_make_mutable_movable_objects
    assert_equal [], Starter.check([])
    [1, nil, :symbol, "frozen", [].freeze, Object].each do |object|
      assert_raises(Ratomic::OwnershipError) { Starter.check(object) }
    end
  end

  def test_an_object_that_the_pool_has_moved_before_is_refused
    object = []
    Ractor::Port.new.send(object, move: true)
    assert_match(/one object twice/, assert_raises(Ratomic::OwnershipError) { Starter.check(object) }.message)
  end

  def test_the_channel_is_ready_and_all_objects_are_free
    channel = Starter.new(3, -> { [] }).start
    assert_equal 3, channel.free
    refute channel.closed?
  ensure
    channel&.close
  end

  def test_a_shareable_factory_needs_no_thread_here
    others = Thread.list # some of which may be ending
    channel = Starter.new(1, Ractor.shareable_proc { [] }).start
    assert_empty Thread.list - others
  ensure
    channel&.close
  end
end
