# frozen_string_literal: true

require "test_helper"
require "support/interruption"
require "support/refusal"

class PoolStarterTest < Minitest::Test
  include Interruption
  include Refusal

  Workers = Ratomic::Workers
  Starter = Ratomic::Pool::Starter

  # In front of Starter.host: the server starts when the gate is opened, if there is one.
  module Gated
    GATES = Ratomic::Map.new

    def host(...)
      GATES[:start]&.pop
      super
    end
  end
  Starter.singleton_class.prepend(Gated)

  # In front of ServerChannel.new.
  module Failing
    FAILURES = Ratomic::Map.new

    def new(...)
      FAILURES[:next] ? raise(*FAILURES.delete(:next)) : super
    end
  end
  Ratomic::Pool::ServerChannel.singleton_class.prepend(Failing)

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

  def test_an_interrupt_ends_the_wait_for_a_server_that_does_not_start
    [-> { [] }, Ractor.shareable_proc { [] }].each do |factory|
      assert_leaves_nothing do
        gate = Gated::GATES[:start] = Ratomic::Queue.new(1)
        caller = Thread.new { Workers::Interrupts.deferred { Starter.new(1, factory).start } }
        until_asleep(caller)
        within(5) { caller.kill.join }
        gate.push(true)
      end
    end
  ensure
    Gated::GATES.delete(:start)
  end

  def test_an_interrupt_at_any_point_leaves_no_server
    %i[raise kill].each do |way|
      assert_leaves_nothing do
        start = -> { Workers::Interrupts.deferred { Starter.new(1, -> { [] }).start.close } }
        assert_operator interrupt_everywhere(way, start) { nil }, :>, 20
      end
    end
  end

  def test_whatever_ends_the_server_while_it_starts_is_the_callers_error
    [[NoMemoryError, "no memory"], [SystemStackError, "too deep"], [Interrupt, ""]].each do |error|
      Failing::FAILURES[:next] = Ractor.make_shareable(error)
      raised = assert_raises(ThreadError) { within(10) { Starter.new(1, -> { [] }).start } }
      assert_includes raised.message, error[0].name
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
