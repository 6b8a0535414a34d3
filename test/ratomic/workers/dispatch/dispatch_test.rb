# frozen_string_literal: true

require "test_helper"
require "support/mailboxes"
require "support/engine_room"
require "support/interruption"

class DispatchTest < Minitest::Test
  include Mailboxes
  include EngineRoom
  include Interruption

  Workers = Ratomic::Workers

  # An engine without workers: what is dispatched stays where it was put.
  def setup
    @mailbox = open_mailbox
    @engine = Workers::Engine.new(Workers::Settings.new(size: 2, backend: :thread, max_queue: 2), @mailbox)
  end

  def dispatch(items, callable = Double, **options)
    within(10) { Workers::Dispatch.future(@engine, items, callable, Workers::Options.new(options)) }
  end

  def dispatch_here(items)
    Workers::Dispatch.future(@engine, items, Double, Workers::Options.new)
  end

  def fill_lane
    2.times { dispatch([1]) }
  end

  # A caller that waits for room.
  def waiting_caller
    fill_lane
    caller = Thread.new { dispatch_here([3]) }
    caller.report_on_exception = false
    until_asleep(caller)
    caller
  end

  # Makes the pool believe that an item costs so much.
  def pretend(callable, nanoseconds)
    weight = Workers::WorkEstimate::ITEM_WEIGHT
    40.times { @engine.costs.learn(Workers::Callable.key(callable), weight, nanoseconds, 1) }
  end

  # Items that were accepted, and have no result; dispatches that were made, and that wait.
  def counts
    stats = Workers::Stats.new(@engine).to_h
    [*stats[:items].values_at(:accepted, :in_flight), @engine.metrics.dispatches.value, stats[:dispatches][:queued]]
  end

  # Whether a Ref to it may still be on its way.
  def kept?(callable)
    Ractor.current[Workers::RactorLocalRefs::STORE].value?(callable)
  end

  def test_a_dispatch_that_is_interrupted_anywhere_leaves_as_many_items_finished_as_accepted
    %i[raise kill].each do |way|
      ended = interrupt_everywhere(way, -> { dispatch_here([1, 2]) }) do |point|
        while (left = @engine.run_queue.try_pop)
          @engine.stop(left, Workers::PoolFailures::KILLED)
        end
        assert_equal @engine.accepted.value, @engine.finished.value, point
      end
      assert_operator ended, :>, 20
    end
  end

  def test_a_dispatch_waits_in_the_lane_for_a_worker
    future = dispatch(items = [1, +"two", Thread.current])
    items[1] << "!"
    assert_equal [3, 3, 1, 1], counts
    batch = @engine.run_queue.try_pop
    assert_equal [[1, "two"], Double, 3], [batch.items.first(2), batch.callable, batch.limit]
    assert_instance_of Workers::Transfer::Refused, batch.items[2]
    refute_predicate future, :ready?
    batch.completion.file(0, [2, "twotwo", nil].freeze)
    assert_equal [2, "twotwo", nil], future.value(timeout: 0)
  end

  def test_any_enumerable_is_a_list_of_items
    [1..2, [1, 2].each, (1..2).lazy].each do |items|
      dispatch(items)
      assert_equal [1, 2], @engine.run_queue.try_pop.items
    end
    dispatch(Class.new { def each = yield(1) }.new)
    assert_equal [1], @engine.run_queue.try_pop.items
  end

  def test_items_that_are_not_enumerable_are_refused_with_their_class
    { 7 => "Integer", "text" => "String", Object.new => "Object", nil => "NilClass" }.each do |items, name|
      assert_match(/not #{name}\z/, assert_raises(TypeError) { dispatch(items) }.message)
    end
    assert_equal [0, 0, 0, 0], counts
  end

  def test_no_items_are_done_at_once_and_bother_nobody
    callable = proc { |item| item }
    assert_empty(told { assert_empty dispatch([], callable, timeout: 1).value(timeout: 0) })
    assert_equal [0, 0, 1, 0], counts
    refute kept?(callable)
  end

  def test_a_check_raises_what_a_dispatch_would_raise_and_leaves_nothing
    callable = proc { |item| item }
    check = ->(given) { Workers::Dispatch.check(@engine, given, Workers::Options.new) }
    check.call(callable)
    refute kept?(callable)
    assert_raises(Workers::CallableError) { check.call(1) }
    assert_equal [0, 0, 0, 0], counts
    @engine.close
    assert_raises(Workers::ShutdownError) { check.call(callable) }
  end

  def test_a_dispatch_of_no_items_is_made_and_completed
    @engine.subscribers.add(events = Ratomic::Queue.new(10))
    dispatch([], as: "nothing")
    stats = Workers::Stats.new(@engine).to_h
    assert_equal [1, 1], stats[:dispatches].values_at(:made, :completed)
    assert_equal [1, 0], stats[:names]["nothing"].values_at(:dispatches, :items)
    assert_equal %i[dispatched completed], Array.new(2) { events.try_pop.name }
  end

  def test_after_the_close_everything_is_refused
    pretend(Double, 100)
    dispatch([1].freeze)
    @engine.close
    [[1].freeze, [], 1..3].each { |items| assert_raises(Workers::ShutdownError) { dispatch(items) } }
    assert_equal [1, 0, 0, 0], counts
  end

  def test_a_refused_dispatch_is_not_kept
    callable = proc { |item| item }
    raising = Class.new { def bytesize = raise(Interrupt) }.new.freeze
    assert_raises(Interrupt) { dispatch([raising], callable) }
    @engine.close
    assert_raises(Workers::ShutdownError) { dispatch([1], callable) }
    refute kept?(callable)
  end

  def test_a_close_on_the_way_refuses_and_leaves_nothing_in_flight
    engine = @engine
    closing = Class.new { define_method(:bytesize) { engine.close.then { 1 } } }.new.freeze
    assert_raises(Workers::ShutdownError) { dispatch([closing]) }
    assert_equal [1, 0, 0, 0], counts
  end

  def test_a_full_lane_refuses_with_its_numbers
    fill_lane
    @engine.subscribers.add(events = Ratomic::Queue.new(10))
    error = assert_raises(Workers::QueueFullError) { dispatch([1, 2], on_full: :raise) }
    assert_match(/\A2 dispatches wait in the pool #{@engine.name} \(max_queue: 2\)/, error.message)
    assert_equal [4, 2, 3, 2], counts
    assert_equal 1, @engine.metrics.rejected.value
    assert_empty @engine.metrics.failures.to_h
    assert_empty @engine.metrics.last_failures.to_h
    assert_equal [[:dispatched, 2], [:rejected, 2]], Array.new(2) { events.try_pop.then { |e| [e.name, e[:items]] } }
  end

  def test_a_dispatch_that_finds_the_queue_full_is_run_by_its_caller
    fill_lane
    assert_empty(told do
      future = dispatch([1, 2], on_full: :caller_runs, timeout: 60, item_timeout: 60)
      assert_equal [2, 4], future.value(timeout: 0)
    end)
    assert_equal [4, 2, 3, 2], counts
    assert_equal [1, 0], [@engine.metrics.overflowed.value, @engine.metrics.rejected.value]
  end

  def test_a_full_lane_is_waited_for_no_longer_than_the_queue_timeout
    fill_lane
    started = Workers::Clock.now
    assert_raises(Workers::QueueFullError) { dispatch([1, 2], queue_timeout: 0.1) }
    assert_operator Workers::Clock.now - started, :>=, 0.1
    assert_equal [4, 2, 3, 2], counts
    assert_equal 1, @engine.metrics.rejected.value
  end

  def test_a_caller_waits_until_there_is_room
    caller = waiting_caller
    @engine.run_queue.try_pop
    refute_predicate within(5) { caller.value }, :ready?
    assert_equal [[1], [3]], Array.new(2) { @engine.run_queue.try_pop.items }
  end

  def test_a_caller_that_waits_for_room_in_vain_leaves_nothing_in_flight
    within(5) { waiting_caller.kill.join }
    assert_equal [3, 2, 3, 2], counts
    2.times { @engine.run_queue.try_pop }
    caller = waiting_caller
    @engine.run_queue.close
    assert_raises(Workers::ShutdownError) { within(5) { caller.value } }
    assert_equal [6, 4, 6, 2], counts
  end

  # How many of two sleeping workers a dispatch wakes.
  def woken(items, callable = Double, **options)
    @engine.run_queue.instance_variable_get(:@sleeping).reset(2)
    dispatch(items.freeze, callable, min_batch: 0, **options)
    @engine.run_queue.try_pop
    @engine.run_queue.instance_variable_get(:@wakeups).pop_many(3, timeout: 0).size
  end

  def test_work_for_two_wakes_two
    assert_equal 2, woken([1, 2, 3]), "nobody knows how long it takes"
    assert_equal 1, woken([1])
    assert_equal 1, woken([1, 2, 3], sequential: true)
    pretend(Double, 1_000)
    assert_equal 1, woken([1] * 100)
    pretend(Double, 10_000)
    assert_equal 2, woken([1] * 100)
  end

  def test_the_coordinator_is_told_of_deadlines
    started = Workers::Clock.now
    assert_empty(told { dispatch([1]) })
    messages = told { dispatch([1], timeout: 50, item_timeout: 20) }
    ticket = Array.new(2) { @engine.run_queue.try_pop }.last.ticket
    assert_equal [[:deadline, ticket, :expire], [:deadline, ticket, :watch]],
                 messages.map { |what, batch, _, task| [what, batch.ticket, task] }
    messages.zip([50, 20]) { |(_, _, at), seconds| assert_in_delta started + seconds, at, 10 }
  end

  def test_the_time_of_a_dispatch_begins_before_it_waits_for_room
    fill_lane
    messages = told do
      caller = Thread.new { dispatch([3], timeout: 50) }
      eventually { @engine.accepted.value == 3 }
      until_asleep(caller)
      @before = Workers::Clock.now
      @engine.run_queue.try_pop
      within(5) { caller.value }
    end
    assert_operator messages.dig(0, 2), :<=, @before + 50
  end

  def test_items_that_are_handed_over_go_to_the_coordinator
    parcels = told { dispatch([+"a", +"b"], move: true) }
    batch = @engine.run_queue.try_pop
    assert_equal [true, 2, 2], [batch.moved?, batch.size, batch.limit]
    assert_equal [[:parcel, batch.ticket, 0, ["a"]], [:parcel, batch.ticket, 1, ["b"]]], parcels
  end

  def test_items_that_are_handed_over_are_not_run_by_their_caller
    fill_lane
    options = { move: true, on_full: :caller_runs, queue_timeout: 0 }
    messages = told { assert_raises(Workers::QueueFullError) { dispatch([+"a"], **options) } }
    assert_equal [:drop], messages.map(&:first)
    assert_equal [3, 2, 3, 2], counts
  end

  def test_small_work_is_done_by_the_caller_when_it_may_be
    2.times do
      pretend(Double, 100)
      future = dispatch([1, 2].freeze)
      assert_equal [Workers::ResolvedFuture, [2, 4]], [future.class, future.value(timeout: 0)]
    end
    assert_equal [4, 0, 0, 0], counts
    dispatch([1, 2], timeout: 60)
    assert_equal [6, 2, 1, 1], counts
  end

  def test_unshareable_items_are_never_run_by_the_caller
    callable = proc { |item| item }
    [callable, Workers::RactorLocalRefs::Ref].each { |known| pretend(known, 100) }
    future = dispatch([1], callable)
    assert_equal [1, 1, 1, 1], counts
    assert kept?(callable)
    assert future.cancel
    refute kept?(callable)
  end

  def test_middling_work_is_a_trial_when_the_pool_has_its_turn
    pretend(Double, 100_000)
    @engine.costs.route_chooser.learn_caller(Double, 10**12, 1)
    dispatch([1, 2])
    dispatch([1, 2], min_batch: 0)
    assert_equal [Workers::Batch::Trial, Workers::Batch], Array.new(2) { @engine.run_queue.try_pop.class }
  end

  def test_inline_it_is_done_when_it_returns_and_what_is_handed_over_is_gone
    @engine = Workers::UncoordinatedEngine.new(Workers::Settings.new(backend: :inline))
    items = [+"a", +"b"]
    assert_equal %w[aa bb], dispatch(items, move: true, timeout: 60).value(timeout: 0)
    assert_equal [2, 0, 1, 0], counts
    assert_raises(Ractor::MovedError) { items[0].size } if Ratomic::RACTORS
  end
end
