# frozen_string_literal: true

require "test_helper"
require "support/engine_room"
require "support/worker_pools"

class StandInTest < Minitest::Test
  include EngineRoom
  include WorkerPools

  # Waits for what another pool makes of the item, and holds its lock meanwhile if it has one.
  class Forward
    def initialize(pool, callable, lock = nil)
      @pool = pool
      @callable = callable
      @lock = lock
    end

    def call(item)
      @lock ? @lock.synchronize { pass_on(item) } : pass_on(item)
    end

    private

    def pass_on(item)
      @pool.dispatch_async([item], @callable).value[0]
    end
  end

  def new_pool(**options)
    super(size: 1, backend: :thread, **options)
  end

  def lane(pool)
    pool.instance_variable_get(:@cell)[:engine].lane
  end

  # The item that waits has the lock, and another one, which is served meanwhile, wants it.
  def test_who_has_what_he_waited_for_does_not_wait_for_what_is_served
    one = new_pool
    forward = Forward.new(new_pool, Sleep, Thread::Mutex.new)
    futures = Array.new(3) { one.dispatch_async([0.1], forward) }
    assert_equal [[0.1]] * 3, futures.map { |future| future.value(timeout: 10) }
    eventually { lane(one).waiting.zero? }
  end

  def test_what_is_served_does_not_end_with_the_item_that_waits
    one = new_pool
    hold = Hold.new
    waiting = one.dispatch_async([1], Forward.new(new_pool, hold), item_timeout: 0.5)
    eventually { hold.begun.value == 1 }
    tally = Tally.new
    served = one.dispatch_async((0...20).to_a, ->(item) { sleep(0.05) && tally.call(item) }, sequential: true)
    assert_equal "Ratomic::Workers::TimeoutError", waiting.value(timeout: 5)[0].exception_class
    served.value!(timeout: 10)
    assert_equal (0...20).to_h { |item| [item, 1] }, tally.calls.to_h
    hold.open
  end

  def test_it_ends_when_there_is_nothing_to_do_or_a_worker_has_come_back
    @engine = Ratomic::Workers::Engine.new(Ratomic::Workers::Settings.new(size: 2, backend: :thread),
                                           @mailbox = Ratomic::Workers::Mailbox.open)
    2.times { @engine.lane.waiting.increment }
    made = Array.new(2) { batch([1, 2]).tap { |each| @engine.lane.try_push(each) } }
    assert Ratomic::Workers::StandIn.start(@engine).join(5)
    made.each { |each| assert_results [2, 4], each }
    @engine.lane.waiting.decrement
    @engine.lane.try_push(batch([3]))
    assert Ratomic::Workers::StandIn.start(@engine).join(5)
    assert_equal [1, 1], [@engine.lane.size, @engine.lane.waiting.value]
  ensure
    @mailbox.close
  end

  def test_what_only_workers_can_run_goes_back_into_the_lane
    @engine = Ratomic::Workers::Engine.new(Ratomic::Workers::Settings.new(size: 1, backend: :thread),
                                           @mailbox = Ratomic::Workers::Mailbox.open)
    moved = Ratomic::Workers::Batch.new(nil, 2, 1, Double, Ratomic::Workers::Options.new(move: true), 64)
    @engine.lane.try_push(moved)
    @engine.lane.waiting.increment
    assert Ratomic::Workers::StandIn.start(@engine).join(5)
    assert_same moved, @engine.lane.try_pop
  ensure
    @mailbox.close
  end
end
