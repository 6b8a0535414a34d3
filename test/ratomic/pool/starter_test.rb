# frozen_string_literal: true

require "test_helper"
require "support/refusal"

class PoolStarterTest < Minitest::Test
  include Refusal

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

  def test_where_no_thread_or_ractor_can_be_made_it_raises_and_leaves_nothing
    factories = [-> { [] }, Ractor.shareable_proc { [] }]
    factories.product(%w[ratomic-pool ratomic-pool-replenisher]) do |factory, name|
      assert_leaves_nothing do
        refuse(name) { assert_raises(ThreadError) { within(10) { Starter.new(1, factory).start } } }
      end
    end
  end

  def test_in_another_ractor_too
    in_ractor do
      Refusal::LEFT["ratomic-pool-replenisher"] = [1, 0].freeze
      Ratomic::Pool.new(size: 1) { [] }
      raise "has a replenisher"
    rescue ThreadError
      hooks = Ratomic::Workers.const_get(:ExitHooks).here.instance_variable_get(:@blocks)
      raise "a hook for the replenisher is left" if hooks.size > 1 # that of the clients
    end
  ensure
    Refusal::LEFT["ratomic-pool-replenisher"] = Refusal::NONE
  end
end
