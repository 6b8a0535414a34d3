# frozen_string_literal: true

require "test_helper"
require "support/fiber_scheduler"
require "support/learnt_costs"
require "support/worker_callables"
require "support/worker_pools"

class DeferralTest < Minitest::Test
  include LearntCosts
  include WorkerCallables
  include WorkerPools

  Workers = Ratomic::Workers
  Deferral = Workers.const_get(:Deferral)
  Batch = Workers::Batch
  # Nanoseconds that the pool is made to believe of an item: ten of them are some milliseconds, and one slice.
  ITEM_NS = 400_000

  def setup
    super
    @where = Where.new
    @pool = new_pool(min_batch: :auto, backend: backend).start
    learn
  end

  def teardown
    @where.gate.close
    super
  end

  # Threads are never faster than the caller, so such a pool defers nothing.
  def backend
    return :ractor if Ratomic::RACTORS

    skip_without_fork
    :process
  end

  def learn(callable = @where, pool = @pool)
    pretend(key(callable), ITEM_NS, pool)
  end

  def engine(pool = @pool)
    pool.instance_variable_get(:@cell)[:engine]
  end

  def key(callable = @where)
    Workers::Callable.key(callable)
  end

  def me
    Where.here
  end

  # @return [Class] of the batch that a dispatch would be
  def kind(items = [1] * 10, callable = @where, pool: @pool, **options)
    learn(callable, pool)
    given = Workers::Options.new({ min_batch: :auto, **options })
    Deferral.kind(engine(pool), items, key(callable), given)
  end

  # A dispatch that waits for who asks. The coordinator knows nothing of it: a busy machine cannot make it too late.
  def deferred(items = [1] * 10, callable = @where, **options)
    given = Workers::Options.new(options)
    batch = Batch::Deferred.new(items.freeze, items.size, items.size, callable, given, Workers::WorkEstimate.of(items))
    engine.accept(batch)
    (batch.owned? ? Workers::OwnedFuture : Workers::Future).new(engine, batch)
  end

  def batch_of(future)
    future.instance_variable_get(:@batch)
  end

  {
    value: ->(future) { future.value }, value!: ->(future) { future.value! }, failures: ->(future) { future.failures },
    wait: ->(future) { future.wait }, indices: ->(future) { future.indices }
  }.each do |name, ask|
    define_method("test_who_asks_with_#{name}_runs_it") do
      future = deferred
      learn
      within(30) { ask.call(future) && @asker = me }
      assert_equal [[@asker, nil]] * 10, future.value
      assert_equal 1, @pool.stats[:dispatches][:by_waiter]
    end
  end

  {
    each: ->(future) { future.each.to_a }, each_completed: ->(future) { future.each_completed.map(&:first) },
    "value with a timeout": ->(future) { future.value(timeout: 60) }
  }.each do |name, ask|
    define_method("test_who_asks_with_#{name.to_s.tr(" ", "_")}_leaves_it_to_the_workers") do
      future = deferred
      learn
      results = within(60) { ask.call(future) }
      assert_equal 10, results.size
      refute_includes results.flatten, me
      assert_equal 0, @pool.stats[:dispatches][:by_waiter]
    end
  end

  def test_workers_get_it_where_other_threads_dispatch_too
    assert_equal Batch::Deferred, kind
    note_elsewhere(Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond) + (3_600 * (10**9)))
    # Not with processes: the way home takes the caller's time.
    assert_equal Ratomic::RACTORS ? Batch : Batch::Deferred, kind
    assert_equal Batch::Deferred, kind(results: :owned)
    assert note_elsewhere(0), "other threads meet this one"
  end

  # Another thread dispatches at that time. If it lies ahead, this thread meets the other however long the machine holds
  # it up.
  def note_elsewhere(now)
    Thread.new { engine.costs.contention.note(now) }.value
  end

  def test_a_dispatch_is_deferred_and_run_by_who_asks
    eventually(60) do
      learn
      @pool.dispatch_async([1] * 10, @where).value # too late, if the machine holds this thread up here
      @pool.stats[:dispatches][:by_waiter].positive?
    end
    eventually { engine.board.to_h.none? { |place, _| Array === place } }
  end

  def test_workers_run_what_nobody_asks_for
    future = deferred
    Deferral.keep(engine, batch_of(future))
    eventually { future.ready? }
    refute_includes future.value.flatten, me
    eventually { engine.board.to_h.none? { |place, _| Array === place } }
  end

  def test_owned_results_are_those_of_who_asks
    future = deferred([1, :fail, :drop, 2], results: :owned)
    learn
    results = future.value
    assert_equal [[me, nil], KeyError.name, [me, nil]],
                 results.map { |result| Workers::Failure === result ? result.exception_class : result }
    refute_predicate results, :frozen?
    refute_predicate results[0], :frozen?
    assert_equal [1, 1], [results[1].index, future.dropped]
    assert_raises(Workers::TakenError) { future.value }
  end

  def test_owned_results_that_nobody_asks_for_are_made_by_workers
    future = deferred([1] * 10, results: :owned)
    Deferral.keep(engine, batch_of(future))
    results = within(60) { future.value(timeout: 50) }
    refute_includes results.flatten, me
    refute_predicate results[0], :frozen?
  end

  def test_failures_drops_and_the_context_are_as_in_a_worker
    future = deferred([1, :fail, :drop, 2], context: :trace)
    learn
    results = future.value
    assert_equal [[me, :trace], [me, :trace]], results.values_at(0, 2)
    assert_equal [KeyError.name, 1, [0, 1, 3]], [results[1].exception_class, results[1].index, future.indices]
    assert Ractor.shareable?(results)
    assert_equal [1, 4, 4, 1], [@pool.stats[:failures][KeyError.name],
                                *@pool.stats[:items].values_at(:accepted, :finished, :dropped)]
  end

  def test_several_waiters_run_it_once
    future = deferred
    learn
    all = Array.new(4) { Thread.new { future.value } }.map(&:value)
    assert_equal [1, 10], [all.uniq.size, @where.begun.value]
  end

  def test_who_is_killed_leaves_the_rest_to_the_workers
    future = deferred([1, :wait, 3])
    learn
    waiter = Thread.new { future.value }
    eventually { @where.begun.value == 2 }
    waiter.kill.join
    results = within(60) { future.value(timeout: 50) }
    assert_equal ["ThreadError", 1], [results[1].exception_class, results[1].index]
    assert @pool.shutdown(timeout: 30), "nothing that was accepted is missing"
  end

  def test_an_exception_from_another_thread_comes_between_two_slices
    future = deferred([1, :wait, *1..8])
    pretend(key, 1_500_000) # three items are a slice
    waiter = Thread.new do
      future.value
    rescue KeyError => e
      e
    end
    eventually { @where.begun.value == 2 }
    waiter.raise(KeyError)
    @where.gate.push(:go)
    assert_kind_of KeyError, within(30) { waiter.value }
    results = within(60) { future.value(timeout: 50) }
    assert_equal [3, 7, []], [*results.map(&:first).partition { |who| who == results[0][0] }.map(&:size),
                              results.grep(Workers::Failure)]
  end

  def test_a_cancellation_is_noticed_between_two_slices
    assert_equal 10, cancelled_in_a_slice.grep(Workers::Failure).size
    assert_equal 3, @where.begun.value
  end

  # @return [Array] what a waiter gets whose dispatch of ten items is cancelled while it runs the first three
  def cancelled_in_a_slice
    future = deferred([1, :wait, *1..8])
    pretend(key, 1_500_000)
    waiter = Thread.new { future.value }
    eventually { @where.begun.value == 2 }
    future.cancel
    @where.gate.push(:go)
    within(30) { waiter.value }
  end

  def test_dear_items_are_handed_back
    future = deferred([:dear] * 120)
    pretend(key, 1_000)
    within(60) { future.value }
    assert_operator future.value.map(&:first).uniq.size, :>, 1, "the waiter has run the first ones, workers the rest"
  end

  # Each item takes longer than a trial, and is a slice by itself.
  def workers_that_ran(items)
    future = deferred([:long] * items)
    pretend(key, Deferral::SLICE_NS)
    within(60) { future.value && @asker = me }
    future.value.map(&:first).uniq - [@asker]
  end

  def test_to_find_out_what_items_take_some_are_run_here_and_workers_run_the_rest
    refute_empty workers_that_ran(6)
    3.times { costs.deferral_chooser(false).learn_pool(key, 10**9, 1) }
    2.times { refute_empty workers_that_ran(6) }
    assert_empty workers_that_ran(6), "three samples have told that this is the faster way"
  end

  def test_a_trial_counts_for_the_items_that_it_has_run
    started = Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)
    workers_that_ran(10)
    took = Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond) - started
    known = costs.deferral_chooser(false).instance_variable_get(:@by_caller)[key]
    assert_includes (Deferral::TRIAL_NS..took), known * Workers::WorkEstimate.of([:long])
  end

  def test_a_trial_counts_for_the_weight_of_these_items
    started = Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)
    future = deferred(["long", *Array.new(9) { "a text" * 10_000 }])
    pretend(key, Deferral::SLICE_NS)
    within(60) { future.value }
    took = Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond) - started
    known = costs.deferral_chooser(false).instance_variable_get(:@by_caller)[key]
    assert_includes (Deferral::TRIAL_NS..took), known * Workers::WorkEstimate.of(["long"])
  end

  def test_slices_are_as_long_as_items_take_here
    3.times { costs.deferral_chooser(false).learn_caller(key, 1, 1) }
    3.times { costs.deferral_chooser(false).learn_pool(key, 10**9, 1) }
    future = deferred([1] * 200)
    pretend(key, Deferral::SLICE_NS)
    within(60) { future.value }
    assert_operator batch_of(future).completion.filed, :<, 200, "only the first slice is as small as was estimated"
  end

  def test_cancelled_it_never_runs
    future = deferred
    Deferral.keep(engine, batch_of(future).tap { |batch| batch.stop(Workers::PoolFailures::GIVEN_UP) })
    assert(future.value.all?(Workers::Failure))
    assert_equal 0, @where.begun.value
  end

  def test_killed_it_ends
    future = deferred
    keep_from_coordinator(future)
    @pool.kill
    assert_equal [Workers::ShutdownError.name], future.value.map(&:exception_class).uniq
    assert_equal 0, @where.begun.value
  end

  # As {Deferral.keep}, before the coordinator has got it.
  def keep_from_coordinator(future)
    batch = batch_of(future)
    engine.board[Deferral.send(:place, batch)] = batch
  end

  def test_a_pool_that_was_killed_takes_none
    future = deferred
    @pool.kill
    Deferral.keep(engine, batch_of(future))
    assert_equal [Workers::ShutdownError.name], within(30) { future.value }.map(&:exception_class).uniq
  end

  def test_a_pool_that_ends_waits_for_it
    future = deferred
    Deferral.keep(engine, batch_of(future))
    assert @pool.shutdown(timeout: 30)
    assert_equal 0, future.failures.size
  end

  def test_in_a_forked_child_it_ends
    skip_without_fork
    assert_equal "10 failures\n", ruby!(<<~RUBY)
      require "ratomic"
      pool = Ratomic::Workers::Pool.new(size: 2, backend: #{backend.inspect}).start
      engine = pool.instance_variable_get(:@cell)[:engine]
      callable = Module.new { def self.call(item) = item }
      options = Ratomic::Workers::Options.new
      batch = Ratomic::Workers::Batch::Deferred.new([1] * 10, 10, 10, callable, options, 640)
      engine.accept(batch)
      deferral = Ratomic::Workers.const_get(:Deferral)
      engine.board[deferral.send(:place, batch)] = batch
      Process.wait(fork { puts "\#{Ratomic::Workers::Future.new(engine, batch).failures.size} failures" })
    RUBY
  end

  def test_the_faster_way_is_taken
    chooser = costs.deferral_chooser(false)
    assert_equal Batch::Deferred, kind, "this way is measured first"
    3.times { chooser.learn_caller(key, 10**6, 1) }
    assert_equal Batch::LargeTrial, kind
    3.times { chooser.learn_pool(key, 10**9, 1) }
    assert_operator Array.new(4) { kind }.count(Batch::Deferred), :>=, 3
    100.times { chooser.learn_pool(key, 1, 1) }
    assert_operator Array.new(4) { kind }.count(Batch::LargeTrial), :>=, 3
    assert_equal Batch::Deferred, kind(results: :owned), "owned results are measured by themselves"
  end

  def test_who_never_asks_gets_no_more_deferred_dispatches
    3.times do
      assert_equal Batch::Deferred, kind
      future = deferred
      keep_from_coordinator(future)
      2.times { Deferral.release(engine, batch_of(future)) }
      within(30) { future.value(timeout: 20) }
    end
    assert_operator Array.new(8) { kind }.count(Batch::LargeTrial), :>=, 7
    learn
    deferred.value
    assert_equal Batch::Deferred, kind, "who asks again gets them again"
  end

  def test_from_what_was_cancelled_or_ran_elsewhere_nothing_is_learnt
    by = ->(way) { costs.deferral_chooser(false).instance_variable_get(way)[key] }
    cancelled_in_a_slice
    late = deferred([:wait])
    3.times { refute late.wait(timeout: 0) }
    assert_equal [nil, nil], [by[:@by_caller], by[:@by_pool]]
  end

  def test_an_item_s_own_failure_keeps_its_index
    future = deferred([1, 2, 3, 4, :own, 6])
    pretend(key, 1_500_000)
    assert_equal 77, future.value[4].index
  end

  def test_what_was_dispatched_elsewhere_is_not_run_under_a_fiber_scheduler
    future = deferred
    learn
    within(30) { FiberScheduler.run { Fiber.new(blocking: false) { @results = future.value }.resume } }
    assert_equal 10, @results.size
    assert_equal 0, @pool.stats[:dispatches][:by_waiter]
  end

  def test_it_is_not_among_those_that_run
    keep_from_coordinator(deferred)
    assert_empty(@pool.stats[:running].select { |running| running[:worker].nil? })
  end

  def test_both_ways_are_measured
    by = ->(way) { costs.deferral_chooser(false).instance_variable_get(way)[key] }
    assert_equal [nil, nil], [by[:@by_caller], by[:@by_pool]]
    learn
    deferred.value
    assert_equal [true, nil], [by[:@by_caller]&.positive?, by[:@by_pool]]
    learn
    late = deferred
    Deferral.release(engine, batch_of(late))
    within(30) { late.value(timeout: 20) }
    assert_predicate by[:@by_pool], :positive?
  end

  def test_work_that_looks_dear_because_it_ran_in_workers_is_deferred
    assert_equal Batch::Deferred, kind([1] * 1_000)
  end

  def test_what_is_not_deferred
    assert_equal [Batch] * 3, [kind([1]), kind([1] * 5_000), kind(min_batch: 5)], "one item; much work; min_batch:"
    assert_equal [Batch] * 2, [little, unmeasured]
  end

  def little
    pretend(key, 100)
    Deferral.kind(engine, [1] * 10, key, Workers::Options.new)
  end

  def unmeasured
    Deferral.kind(engine, [1] * 10, key(Where.new), Workers::Options.new)
  end

  def test_beside_other_dispatches_nothing_is_deferred
    engine.accepted.increment
    assert_equal Batch, kind
  ensure
    engine.finished.increment
  end

  def test_under_a_fiber_scheduler_nothing_is_deferred
    assert_equal Batch, FiberScheduler.run { Fiber.new(blocking: false) { @kind = kind }.resume && @kind }
  end

  def test_threads_alone_defer_nothing
    pool = new_pool(min_batch: :auto, backend: :thread).start
    assert_equal Batch, kind(pool: pool)
  end

  def test_in_an_item_nothing_is_deferred
    skip_without_ractors
    inner = Ractor.make_shareable(Inner.new(@pool, @where))
    assert_equal ["Ratomic::Workers::Batch"], new_pool(size: 1).dispatch_async([1], inner, min_batch: 0).value
  end

  # Which class of batch a dispatch in an item would be.
  class Inner
    def initialize(pool, callable)
      @pool = pool
      @callable = callable
    end

    def call(_item)
      engine = @pool.instance_variable_get(:@cell)[:engine]
      deferral = Ratomic::Workers.const_get(:Deferral)
      key = Ratomic::Workers::Callable.key(@callable)
      deferral.kind(engine, [1] * 10, key, Ratomic::Workers::Options.new).name
    end
  end
end
