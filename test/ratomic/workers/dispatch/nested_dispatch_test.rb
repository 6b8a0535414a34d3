# frozen_string_literal: true

require "test_helper"
require "support/worker_callables"
require "support/worker_pools"

# Items that dispatch to the pool which runs them.
class NestedDispatchTest < Minitest::Test
  include WorkerCallables
  include WorkerPools

  # As Descend, with a dispatch for each of the two.
  class FanOut < Descend
    def call(depth)
      return 1 if depth.zero?

      pool = @pools[depth % @pools.size]
      Array.new(2) { pool.dispatch_async([depth - 1], self) }.sum { |future| future.value[0] }
    end
  end

  # Does with a pool what the item says.
  class Use
    include WorkerCallables

    def initialize(pool)
      @pool = pool
      Ractor.make_shareable(self)
    end

    def call(what)
      case what
      when :each then dispatch.each.to_a
      when :each_completed then dispatch.each_completed.to_a.map(&:first)
      when :stream then @pool.stream(0...50, Double).to_a
      when :many then Array.new(5) { dispatch }.map(&:value).uniq.flatten
      when :move then @pool.dispatch_async([+"a"], Append, move: true).value
      when :misbehave then @pool.dispatch_async([1, :end_thread, 3, :raise_error], Misbehave).value
      end
    end

    private

    def dispatch
      @pool.dispatch_async((0...50).to_a, Double)
    end
  end

  # Shuts the pool down that is its item.
  module ShutDown
    def self.call(pool)
      pool.shutdown
    end
  end

  DOUBLED = (0...50).map { |n| n * 2 }

  # With one worker, which everything then depends on.
  def new_pool(**settings)
    super(size: 1, **settings)
  end

  def each_backend
    [*(:ractor if Ratomic::RACTORS), :thread].each { |backend| yield new_pool(backend: backend) }
  end

  def test_a_shutdown_in_an_item_that_its_caller_runs_does_not_wait_for_itself
    pool = new_pool(backend: :inline)
    assert_equal [false], within(10) { pool.dispatch_async([pool], ShutDown).value }
    assert pool.shutdown(timeout: 5)
  end

  def test_the_only_worker_of_a_pool_does_what_its_item_waits_for
    each_backend do |pool|
      assert_equal [32] * 3, within(70) { pool.dispatch_async([5] * 3, Descend.new(pool)).value(timeout: 60) }
      assert_equal 0, pool.stats[:items][:in_flight]
      assert_equal 0, pool.stats[:troubles][:count]
    end
  end

  def test_every_way_to_wait_helps
    each_backend do |pool|
      use = Use.new(pool)
      %i[each each_completed stream many].each do |way|
        assert_equal DOUBLED, within(70) { pool.dispatch_async([way], use).value!(timeout: 60) }[0].sort, way
      end
      assert_equal [["a!"]], within(70) { pool.dispatch_async([:move], use).value!(timeout: 60) }
    end
  end

  def test_a_full_queue_holds_no_worker_up
    pool = new_pool(max_queue: 1)
    assert_equal [DOUBLED] * 3, within(70) { pool.dispatch_async([:many] * 3, Use.new(pool)).value!(timeout: 60) }
    assert_operator pool.stats[:dispatches][:by_caller], :>, 0
  end

  def test_an_item_that_ends_its_thread_harms_neither_its_neighbours_nor_who_waits
    each_backend do |pool|
      inner = within(70) { pool.dispatch_async([:misbehave], Use.new(pool)).value!(timeout: 60) }[0]
      assert_equal [1, "ThreadError", 3, "KeyError"],
                   inner.map { |result| result.respond_to?(:failure?) ? result.exception_class : result }
    end
  end

  def test_pools_of_ractors_that_dispatch_to_each_other_do_not_wait_for_each_other
    skip_without_ractors
    pools = Array.new(3) { new_pool }
    totals = pools.map { |pool| pool.dispatch_async([6, 7], Descend.new(*pools)) }.map { |f| f.value(timeout: 60) }
    assert_equal [[64, 128]] * 3, totals
  end

  # Who waits in one cannot run what belongs to the other, and helpers serve its own.
  def test_pools_of_any_backends_that_dispatch_to_each_other_do_not_wait_for_each_other
    ractor = :ractor if Ratomic::RACTORS
    [%i[thread thread], [:thread, ractor], [ractor, :thread, :thread]].map(&:compact).each do |backends|
      [Descend, FanOut].each do |callable|
        pools = backends.map { |backend| new_pool(backend: backend, max_queue: 2) }
        futures = pools.flat_map { |pool| Array.new(2) { pool.dispatch_async([3, 4], callable.new(*pools)) } }
        assert_equal [[8, 16]] * futures.size, futures.map { |future| future.value(timeout: 60) }
        pools.each { |pool| assert_equal [0, 0], [pool.stats[:items][:in_flight], pool.stats[:troubles][:count]] }
      end
    end
  end

  # The inner future is read elsewhere, when the item that waited for it and ran a part of it has been interrupted.
  def test_items_of_a_nested_dispatch_whose_waiter_was_interrupted_are_done_all_the_same
    pool = new_pool
    inner = Ratomic::Queue.new(1)
    outer = pool.dispatch_async([1], waiting(pool, hold = Hold.new, inner))
    eventually { hold.begun.value == 1 }
    assert outer.cancel(interrupt: true)
    assert_equal "Ratomic::Workers::CancelledError", outer.value(timeout: 5)[0].exception_class
    eventually(STATE_TIMEOUT_S, "the next item in the only worker") { hold.begun.value == 2 }
    hold.open
    assert_equal [1, 2], inner.pop(timeout: 5).value(timeout: 10)
    assert_equal 2, hold.finished.value
  end

  # Dispatches two items to the hold, shows the future and waits for it.
  def waiting(pool, hold, futures)
    Class.new do
      def initialize(*all) = (@pool, @hold, @futures = all) && freeze
      def call(_item) = @pool.dispatch_async([1, 2], @hold).tap { |future| @futures.push(future) }.value.size
    end.new(pool, hold, futures)
  end

  def test_items_that_a_helper_runs_can_be_cancelled
    each_backend do |pool|
      [false, true].each do |interrupt|
        hold = Hold.new
        outer = pool.dispatch_async([1], waiting(pool, hold, futures = Ratomic::Queue.new(1)))
        eventually { hold.begun.value == 1 }
        assert futures.pop(timeout: 5).cancel(interrupt: interrupt)
        assert_equal [2], outer.value(timeout: 5)
        assert_equal 0, hold.finished.value
        next if interrupt

        hold.open
        eventually(STATE_TIMEOUT_S, "the end of what runs, which is left alone") { hold.finished.value == 1 }
        assert_equal 1, hold.begun.value
      end
    end
  end

  def test_a_kill_ends_what_only_a_helper_runs
    each_backend do |pool|
      hold = Hold.new
      outer = pool.dispatch_async([1], waiting(pool, hold, futures = Ratomic::Queue.new(1)))
      eventually { hold.begun.value == 1 }
      pool.kill
      [outer, futures.pop(timeout: 5)].each { |future| assert future.wait(timeout: 5) }
    end
  end

  def test_the_time_to_wait_is_heeded
    pool = new_pool
    late = Class.new do
      def initialize(pool) = (@pool = pool) && freeze

      def call(_item)
        @pool.dispatch_async([0.2] * 20, Sleep).value(timeout: 0.3)
      rescue Ratomic::Workers::TimeoutError => e
        e.completed
      end
    end.new(pool)
    assert_includes 0..6, within(70) { pool.dispatch_async([1], late).value!(timeout: 60) }[0]
  end

  def test_an_item_that_shuts_its_pool_down_does_not_wait_for_itself
    each_backend do |pool|
      assert_equal [false], within(10) { pool.dispatch_async([pool], ShutDown).value(timeout: 5) }
      assert within(10) { pool.shutdown(timeout: 5) }
    end
  end

  def test_an_item_that_shuts_its_pool_down_by_way_of_another_pool_does_not_wait_for_itself
    by_way = Class.new do
      def initialize(pool) = (@pool = pool) && Ractor.make_shareable(self)
      def call(_item) = @pool.dispatch_async([@pool], ShutDown).value[0]
    end
    each_backend do |own|
      inline = new_pool(backend: :inline)
      assert_equal [false], own.dispatch_async([1], by_way.new(inline)).value(timeout: 5)
    end
  end

  def test_pools_whose_items_shut_each_other_down_end
    one = new_pool(backend: :thread)
    two = new_pool(backend: :thread)
    hold = Hold.new
    waits = ->(_item) { hold.call(1) && one.dispatch_async([1], Double).value(timeout: 5) }
    waiting = two.dispatch_async([1], waits)
    eventually { hold.begun.value == 1 }
    ends = one.dispatch_async([two], ->(pool) { [hold.open, pool.shutdown][1] })
    assert_equal [[true], [[2]]], [ends, waiting].map { |future| future.value(timeout: 10) }
  end

  def test_items_of_a_nested_dispatch_that_are_done_in_time_keep_their_results
    each_backend do |pool|
      late = Class.new do
        def initialize(pool) = (@pool = pool) && Ractor.make_shareable(self)

        def call(_item)
          @pool.dispatch_async([0, 0, 0, 30], Sleep, timeout: Waiting::DONE_IN_TIME_S, sequential: true).value
        end
      end.new(pool)
      results = pool.dispatch_async([1], late).value!(timeout: 20)[0]
      assert_equal [0, 0, 0], results.first(3)
      assert_equal "Ratomic::Workers::DispatchTimeoutError", results[3].exception_class
      assert_equal [[2, 4]], pool.dispatch_async([[1, 2]], DoubleAll.new(pool)).value(timeout: 20)
    end
  end

  # Waits for a dispatch of the items.
  class DoubleAll
    def initialize(pool) = (@pool = pool) && Ractor.make_shareable(self)
    def call(items) = @pool.dispatch_async(items, WorkerCallables::Double).value
  end

  def test_an_item_that_waits_for_a_nested_dispatch_is_ended_by_its_time_limit
    pool = new_pool
    inner = Ratomic::Queue.new(1)
    outer = pool.dispatch_async([1], waiting(pool, hold = Hold.new, inner), item_timeout: ITEM_TIMEOUT_S)
    assert_equal "Ratomic::Workers::ItemTimeoutError", outer.value(timeout: 20)[0].exception_class
    hold.open
    assert_equal [1, 2], inner.pop(timeout: 5).value(timeout: 20)
  end

  def test_only_threads_of_pools_help
    pool = new_pool.start
    engine = pool.instance_variable_get(:@cell)[:engine]
    refute Ratomic::Workers::NestedDispatch.in?(engine)
    assert_nil Ratomic::Workers::NestedDispatch.number
  end
end
