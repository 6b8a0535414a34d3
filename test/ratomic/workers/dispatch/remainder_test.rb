# frozen_string_literal: true

require "test_helper"
require "support/engine_room"
require "support/learnt_costs"
require "support/mailboxes"
require "support/worker_callables"

# A caller who runs small work himself, and finds that it is not small.
class RemainderTest < Minitest::Test
  include EngineRoom
  include LearntCosts
  include Mailboxes
  include WorkerCallables

  Workers = Ratomic::Workers

  # Says which thread ran an item. The item after a number of milliseconds is dear.
  class Where
    include WorkerCallables::Busy

    def initialize
      Ractor.make_shareable(self)
    end

    def call(item)
      raise KeyError, "no such key" if item == :fail

      spin(item) if Integer === item
      Thread.current.object_id
    end
  end

  def setup
    @pool = Workers::Pool.new(size: 2, name: "rest")
    @where = Where.new
    @pool.dispatch_async([0], @where, min_batch: 0).value(timeout: 5)
  end

  def teardown
    @pool.kill
  end

  def me
    Thread.current.object_id
  end

  def pretend_cheap(key = Workers::Callable.key(@where))
    pretend(key, 100)
  end

  def test_the_pool_runs_what_is_left_when_items_are_dear
    pretend_cheap
    ran = @pool.dispatch_async([2] * 50, @where).value(timeout: 15)
    assert_equal me, ran[0], "the caller began"
    refute_includes ran.drop(4), me, "and was not held up by all of them"
    assert_equal [51, 51], @pool.stats[:items].values_at(:accepted, :finished)
    assert_equal 2, @pool.stats[:dispatches][:made]
    assert_equal 0, @pool.stats[:dispatches][:by_caller]
  end

  # Meanwhile the pool was not idle. If the last result of another dispatch came then, nobody has told the coordinator.
  def test_a_pool_that_closes_while_a_remainder_finds_no_room_ends
    @engine = engine = Workers::Engine.new(Workers::Settings.new(size: 2, backend: :thread), @mailbox = open_mailbox)
    remainder = Workers.const_get(:Remainder).clone
    remainder.singleton_class.prepend(Module.new { define_method(:try_push) { |*| engine.close && false } })
    heard = told { refute remainder.send(:push, engine, filler, 1) }
    assert_equal [Workers::Engine::WIND_UP], heard
    assert_predicate engine, :idle?
  end

  def test_the_pool_runs_what_is_left_also_of_a_cached_callable_which_leaves_the_cache
    pretend_cheap
    costs.caller_runs_cache.grant(@where, @where.object_id, 50 * Workers::WorkEstimate::ITEM_WEIGHT, 9)
    ran = @pool.dispatch_async(([2] * 50).freeze, @where).value(timeout: 15)
    assert_equal me, ran[0]
    refute_includes ran.drop(4), me
    refute costs.caller_runs_cache.take(@where, [0].freeze)
  end

  def test_cheap_items_stay_with_the_caller
    pretend_cheap
    assert_equal [me], @pool.dispatch_async([0] * 4, @where).value(timeout: 5).uniq
  end

  def test_an_expensive_last_item_is_run_by_the_caller
    pretend_cheap
    assert_equal [me] * 3, @pool.dispatch_async([0, 0, 3], @where).value(timeout: 5)
  end

  def test_failures_on_both_sides_have_their_places_and_are_counted
    pretend_cheap
    items = [:fail, *([2] * 20), :fail]
    results = @pool.dispatch_async(items, @where).value(timeout: 15)
    failures = results.grep(Workers::Failure)
    assert_equal [0, 21], failures.map(&:index)
    assert_equal 2, @pool.stats[:failures]["KeyError"]
  end

  def test_where_there_is_no_room_the_caller_goes_on
    hold = Hold.new
    pool = Workers::Pool.new(size: 1, max_queue: 1)
    pool.dispatch_async([0], @where, min_batch: 0).value(timeout: 5)
    mine = costs(pool)
    40.times { mine.learn(Workers::Callable.key(@where), Workers::WorkEstimate::ITEM_WEIGHT, 100, 1) }
    held = pool.dispatch_async([1], hold)
    eventually { hold.begun.value == 1 }
    waiting = pool.dispatch_async([1], Double, min_batch: 0)
    assert_equal [me], pool.dispatch_async([2] * 5, @where).value(timeout: 0).uniq
    hold.open
    assert_equal [[1], [2]], [held, waiting].map { |future| future.value(timeout: 5) }
    assert pool.shutdown(timeout: 10), "what was not accepted is not waited for"
  ensure
    hold.open
    pool.kill
  end

  def test_threads_get_the_rest_too
    pool = Workers::Pool.new(size: 2, backend: :thread)
    pool.dispatch_async([0], @where, min_batch: 0).value(timeout: 5)
    mine = costs(pool)
    40.times { mine.learn(Workers::Callable.key(@where), Workers::WorkEstimate::ITEM_WEIGHT, 100, 1) }
    ran = pool.dispatch_async([2] * 30, @where).value(timeout: 15)
    assert_equal [true, false], [ran.first(1), ran.drop(4)].map { |part| part.include?(me) }
    assert pool.shutdown(timeout: 10)
  ensure
    pool.kill
  end
end
