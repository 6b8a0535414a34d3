# frozen_string_literal: true

require "test_helper"
require "support/learnt_costs"
require "support/worker_callables"

class CallerRunsTest < Minitest::Test
  include LearntCosts
  include WorkerCallables

  # Says in which thread it ran.
  module Where
    def self.call(item)
      send(item) if item.is_a?(Symbol)
      Thread.current.object_id
    end

    class << self
      private

      def leave
        throw :tag, 5
      end

      def fail
        raise KeyError, "no such key"
      end

      def quit
        exit 3
      end
    end
  end

  def setup
    @pool = Ratomic::Workers::Pool.new(size: 2)
    @pool.dispatch_async([1], Where, min_batch: 0).value(timeout: 5)
  end

  def teardown
    @pool.kill
  end

  # Says whether it ran in the main Ractor.
  module Home
    def self.call(_item)
      Ractor.main?
    end
  end

  # What threads and processes run may be such as fails in a Ractor.
  def test_callables_of_threads_and_processes_are_run_by_callers_in_the_ractor_of_the_pool_only
    skip_without_ractors
    [:thread, *(:process unless Ratomic::Workers::Processes.none?)].each do |backend|
      pool = Ratomic::Workers::Pool.new(size: 1, backend: backend)
      assert_equal [true], within(10) { pool.dispatch_async([1], Home, min_batch: 0).value }
      pretend(Home, 1_000, pool)
      3.times { assert_equal [true, true], within(10) { pool.dispatch_async([1, 2], Home).value } }
      learnt = -> { pool.stats.slice(:callables, :workers, :troubles).inspect }
      assert_operator pool.stats[:dispatches][:by_caller], :>, 0, learnt
      elsewhere = within(20) do
        in_ractor(pool, Home) { |mine, home| Array.new(3) { mine.dispatch_async([1, 2], home).value } }
      end
      assert_equal [[true, true]] * 3, elsewhere
    ensure
      pool.kill
    end
  end

  def by_caller
    @pool.stats[:dispatches][:by_caller]
  end

  def pretend_once_slow(callable)
    costs.learn(Ratomic::Workers::Callable.key(callable), 1_000_000, 50_000_000, 1)
  end

  # Makes the pool believe that items cost so much. Where the caller is to run all of a dispatch, whatever the machine
  # does meanwhile, it has two items: of more, the pool gets the rest when they take too long (see RemainderTest).
  def pretend(callable, nanoseconds, pool = @pool)
    super(Ratomic::Workers::Callable.key(callable), nanoseconds, pool)
  end

  def test_small_work_of_a_known_callable_is_done_at_once_in_the_callers_thread
    pretend(Where, 100)
    future = @pool.dispatch_async([1, 2], Where)
    assert_predicate future, :ready?
    assert_equal [Thread.current.object_id] * 2, future.value
    assert_equal 1, by_caller
    assert_equal({ accepted: 3, finished: 3, in_flight: 0, dropped: 0 }, @pool.stats[:items])
  end

  def test_an_unknown_callable_goes_to_the_pool
    refute_kind_of Ratomic::Workers::ResolvedFuture, @pool.dispatch_async([1], Double)
    assert_equal 0, by_caller
  end

  def test_a_callable_that_was_slow_lately_goes_to_the_pool
    pretend(Where, 100)
    pretend_once_slow(Where)
    refute_includes @pool.dispatch_async([1], Where).value(timeout: 5), Thread.current.object_id
  end

  def test_more_work_goes_to_the_pool
    pretend(Where, 900_000)
    refute_includes @pool.dispatch_async([1, 2, 3], Where).value(timeout: 5), Thread.current.object_id
    assert_equal 0, by_caller
  end

  def route_chooser
    costs.route_chooser
  end

  def test_middling_work_goes_where_the_caller_is_held_up_less
    pretend(Where, 150_000)
    assert_equal [Thread.current.object_id] * 2, @pool.dispatch_async([1, 2], Where).value
    20.times { route_chooser.learn_caller(Where, 10**12, 1) }
    20.times { route_chooser.learn_pool(Where, 1, 1) }
    futures = Array.new(Ratomic::Workers::RouteChooser::EXPLORE_RATE) do
      pretend(Where, 150_000)
      @pool.dispatch_async([1, 2], Where).tap(&:wait)
    end
    assert_equal 1, futures.grep(Ratomic::Workers::ResolvedFuture).size
  end

  def test_middling_work_goes_to_the_pool_while_other_work_is_there
    pretend(Where, 100_000)
    route_chooser.learn_caller(Where, 1, 1)
    route_chooser.learn_pool(Where, 10**12, 1)
    other = @pool.dispatch_async([1], hold = Hold.new)
    futures = Array.new(3) do
      pretend(Where, 100_000)
      @pool.dispatch_async([1, 2, 3], Where).tap { |future| future.wait(timeout: 15) }
    end
    assert_empty futures.grep(Ratomic::Workers::ResolvedFuture)
    refute_predicate other, :ready?
  ensure
    hold.open
  end

  def test_of_a_dispatch_that_tries_the_pool_the_first_wait_is_measured
    pretend(Where, 100_000)
    route_chooser.learn_caller(Where, 10**12, 1)
    future = @pool.dispatch_async([1, 2, 3], Where)
    refute_includes future.value(timeout: 5), Thread.current.object_id
    known = route_chooser.instance_variable_get(:@by_pool)[Where]
    assert_operator known, :>, 0
    3.times { future.value }
    assert_equal known, route_chooser.instance_variable_get(:@by_pool)[Where]
  end

  def test_a_number_says_what_is_small
    pretend(Where, 900_000)
    assert_equal [Thread.current.object_id] * 2, @pool.dispatch_async([1, 2], Where, min_batch: 3).value(timeout: 5)
    refute_includes @pool.dispatch_async([1, 2], Where, min_batch: 2).value(timeout: 5), Thread.current.object_id
    refute_includes @pool.dispatch_async([1], Where, min_batch: 0).value(timeout: 5), Thread.current.object_id
  end

  def test_failures_are_as_in_a_worker
    pretend(Where, 100)
    results = @pool.dispatch_async([1, :fail, +"mutable", $stdin], Where, min_batch: 0).value(timeout: 5)
    pretend(Where, 100)
    here = @pool.dispatch_async([1, :fail, +"mutable"], Where).value
    assert_equal results[1].to_h.except(:backtrace), here[1].to_h.except(:backtrace)
    assert_equal "Ratomic::ShareableError", results[3].exception_class
    refute_predicate @pool.dispatch_async([$stdin], Where), :cancelled?
    assert_equal 2, @pool.stats[:failures]["KeyError"]
  end

  def test_no_items_teach_nothing
    pretend(Where, 100)
    assert_equal [], @pool.dispatch_async([], Where).value
    await_cached(Where)
    assert_equal [], @pool.dispatch_async([].freeze, Where).value
    assert @pool.stats[:costs].values.all?(&:finite?)
    assert_equal 2, @pool.dispatch_async([1, 2], Where, min_batch: 0).value(timeout: 5).size
  end

  def test_a_throw_stays_inside_and_the_callable_goes_to_the_pool_from_then_on
    { [:leave, 3] => 0, [1, :leave] => 1 }.each do |items, index|
      pretend(here = Class.new { def call(item) = Where.call(item) }.new.freeze, 100)
      results = catch(:tag) { @pool.dispatch_async(items, here).value }
      assert_equal Thread.current.object_id, results[1 - index]
      assert_equal ["UncaughtThrowError", index], [results[index].exception_class, results[index].index]
      refute_includes @pool.dispatch_async([1], here).value(timeout: 5), Thread.current.object_id
    end
  end

  def test_a_callable_that_ended_a_worker_is_never_run_by_the_caller
    @pool.dispatch_async([:end_thread], Misbehave).value(timeout: 5)
    pretend(Misbehave, 100)
    future = @pool.dispatch_async([:end_thread], Misbehave)
    assert_equal "ThreadError", future.value(timeout: 5)[0].exception_class
    assert_equal 0, by_caller
  end

  # Ends when another thread has raised something into its own, if that has not ended it.
  module AwaitInterrupt
    def self.call(_item)
      sleep(0.001) until Thread.current.pending_interrupt?
    end
  end

  def test_the_callers_time_out_is_not_taken_for_an_items
    pretend(AwaitInterrupt, 100)
    assert_raises(Timeout::Error) { Timeout.timeout(0.1) { @pool.dispatch_async([1], AwaitInterrupt) } }
  end

  # A callable that the caller runs.
  def small_sleeper
    Class.new { def call(item) = sleep(item) }.new.freeze.tap { |sleeper| pretend(sleeper, 100) }
  end

  def test_exceptions_of_any_class_from_other_threads_wait_for_the_items
    [StandardError, Exception].each do |parent|
      pretend(hold = Hold.new, 100)
      caller = Thread.new { @pool.dispatch_async([1], hold) }
      caller.report_on_exception = false
      eventually { hold.begun.value == 1 }
      until_asleep(caller)
      caller.raise(error = Class.new(parent))
      assert_nil caller.join(0.05)
      hold.open
      assert_raises(error) { within(10) { caller.value } }
      assert_equal 1, hold.finished.value
    end
  end

  def test_a_signal_comes_at_once_and_so_does_the_end_of_the_thread
    [->(thread) { thread.raise(Interrupt) }, :kill.to_proc].each do |way|
      sleeper = small_sleeper
      thread = Thread.new do
        @pool.dispatch_async([30], sleeper)
      rescue Interrupt
        nil
      end
      until_asleep(thread)
      way.call(thread)
      assert thread.join(5)
    end
  end

  # What would otherwise be lost with it each time: the results of its neighbours.
  %i[raise_at_its_thread run_out_of_time interrupt].each do |what|
    define_method("test_an_item_that_does_#{what}_leaves_with_its_error_once_and_then_goes_to_the_pool") do
      @pool.dispatch_async([1], Misbehave, min_batch: 0).value(timeout: 5)
      pretend(Misbehave, 100)
      begin
        refute_equal 1, @pool.dispatch_async([1, what, 3], Misbehave).value[1]
      rescue IOError, KeyError, Interrupt
        nil
      end
      pretend(Misbehave, 100)
      results = @pool.dispatch_async([1, what, 3], Misbehave).value(timeout: 5)
      assert_equal [1, 1, 3], [results[0], results[1].index, results[2]]
    end
  end

  # Counts what it does before it exits.
  class Leave
    attr_reader :done

    def initialize
      @done = Ratomic::Counter.new
      Ractor.make_shareable(self)
    end

    def call(item)
      @done.increment
      item == :exit ? exit(3) : item
    end
  end

  # In the main thread it may be that of a `trap` handler, and goes on to the caller, as in a map.
  def test_an_item_that_exits_runs_once_and_its_callable_is_not_for_callers_any_more
    pretend(leave = Leave.new, 100)
    assert_equal 3, assert_raises(SystemExit) { @pool.dispatch_async([1, :exit, 3], leave) }.status
    assert_equal 2, leave.done.value
    pretend(leave, 100)
    results = @pool.dispatch_async([1, :exit, 3], leave).value(timeout: 5)
    assert_equal [1, "SystemExit", 3], [results[0], results[1].exception_class, results[2]]
    assert_equal 5, leave.done.value
  end

  def test_an_item_that_exits_is_a_failure_where_no_handler_runs
    [[:exit, 3], [1, :exit]].each.with_index(1) do |items, count|
      pretend(leave = Leave.new, 100)
      results = Thread.new { @pool.dispatch_async(items, leave).value }.value
      assert_equal(items.map { |item| item == :exit ? "SystemExit" : item },
                   results.map { |result| Integer === result ? result : result.exception_class })
      assert_equal [2, count], [leave.done.value, by_caller]
      pretend(leave, 100)
      @pool.dispatch_async([1], leave).wait(timeout: 5)
      assert_equal count, by_caller, "its callable is not for callers any more"
    end
  end

  def test_a_trap_handler_that_exits_ends_a_program_whose_main_thread_runs_items
    3.times do
      ended = ruby(<<~RUBY, seconds: 60)
        require "ratomic"
        module Work; def self.call(item) = 300.times { item += 1 } && item; end
        trap(:TERM) { exit 7 }
        pool = Ratomic::Workers::Pool.new(size: 1)
        pool.dispatch_async([1], Work, min_batch: 0).value(timeout: 20)
        40.times { pool.instance_variable_get(:@cell)[:engine].costs.learn(Work, 64, 10_000, 1) }
        Thread.new { Process.kill(:TERM, Process.pid) }
        deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + 5
        pool.dispatch_async([1, 2], Work).value until Process.clock_gettime(Process::CLOCK_MONOTONIC) > deadline
        puts pool.stats[:failures]
      RUBY
      assert_equal ["", 7], [ended.out, ended.status.exitstatus]
    end
  end

  def test_errors_in_messages_and_in_freeze_stay_with_the_item
    @pool.dispatch_async([1], Make, min_batch: 0).value(timeout: 5)
    [[Misbehave, :raise_while_read], [Make, [:raise_exception]]].each do |callable, item|
      @pool.dispatch_async([1], callable, min_batch: 0).value(timeout: 5)
      { [1, item] => 1, [item, 3] => 0 }.each do |items, index|
        pretend(callable, 100)
        results = @pool.dispatch_async(items, callable).value
        assert_equal [index, items[1 - index]], [results[index].index, results[1 - index]]
      end
    end
    assert_equal 4, by_caller
  end

  def test_the_future_of_what_the_caller_ran_answers_as_any
    pretend(Where, 100)
    future = @pool.dispatch_async([1, 2], Where)
    me = Thread.current.object_id
    assert_equal [me, me], future.each.to_a
    assert_equal [[me, 0], [me, 1]], future.each_completed.to_a
    assert_equal [me, me], future.value!
    assert_equal [2, 2], future.progress.to_a
    refute future.cancel
    assert future.wait
    assert Ractor.shareable?(future)
  end

  # Lets the next dispatches of the callable take the short way, if they are no larger than these items.
  def await_cached(callable, items = [1].freeze)
    eventually(STATE_TIMEOUT_S, "its entry in the cache") do # a run that a busy machine interrupts takes too long
      pretend(callable, 100)
      @pool.dispatch_async(items.first(1), callable).value(timeout: 5)
      caller_runs_cache.take(callable, items) # one that was interrupted for a moment may count for one item only
    end
  end

  def caller_runs_cache
    costs.caller_runs_cache
  end

  def test_the_short_way_gives_the_same_results_and_counts
    await_cached(Where, items = [1, :fail].freeze)
    before = by_caller
    results = @pool.dispatch_async(items, Where).value
    assert_equal [Thread.current.object_id, "KeyError"], [results[0], results[1].exception_class]
    assert results.frozen? && Ractor.shareable?(results)
    assert_equal before + 1, by_caller
    assert_equal 1, @pool.stats[:failures]["KeyError"]
    assert_equal 1, catch(:tag) { @pool.dispatch_async([:leave].freeze, Where).value }.size
    refute caller_runs_cache.take(Where, [1].freeze), "it is caller-unsafe now"
  end

  # Takes its list apart while it runs, and would change its items.
  module Spoil
    LISTS = [] # rubocop:disable Style/MutableConstant -- the caller reads it in the main Ractor
    def self.call(item)
      LISTS[0].clear
      item << "!"
    end
  end

  # Of a callable that was never measured, the pool would run everything that is not in the cache.
  def test_the_short_way_is_for_items_that_are_not_frozen_too
    [[1], [1, :fail], [+"text"], [+"text"].freeze, ["a", [1].freeze],
     [[+"a", { b: [+"c"] }]], [{ a: 1 }, [+"b"]].freeze].each do |items|
      callable = items.include?(:fail) ? Where : Misbehave
      caller_runs_cache.grant(callable, callable.object_id, 64_000, 9) # each time: the other may have the same place
      future = @pool.dispatch_async(items, callable)
      assert_kind_of Ratomic::Workers::ResolvedFuture, future, items.inspect
    end
  end

  def test_the_short_way_runs_what_the_list_had_and_leaves_it_and_its_items_alone
    caller_runs_cache.grant(Spoil, Spoil.object_id, 64_000, 9)
    text = +"text"
    Spoil::LISTS[0] = list = [text, text] # of more, a busy machine may give some to the pool
    results = @pool.dispatch_async(list, Spoil).value
    assert_equal ["FrozenError"] * 2, results.map(&:exception_class)
    assert_equal [[], "text", false], [list, text, text.frozen?]
  end

  Fields = Struct.new(:fields)

  # In a worker, on the short way and on the way to it: nowhere is the item the caller's own.
  def test_a_callable_that_changes_its_item_fails_wherever_it_runs
    pretend(Spoil, 100)
    Spoil::LISTS[0] = []
    [{ min_batch: 0 }, {}, {}].each do |options|
      rows = [[+"a", +"b"], [+"c"]]
      results = @pool.dispatch_async(rows, Spoil, **options).value(timeout: 5)
      assert_match(/FrozenError|IsolationError/, results.map(&:exception_class).uniq.join, options)
      assert_equal [[%w[a b], %w[c]], false], [rows, rows.flatten(1).any?(&:frozen?)]
    end
    fields = Fields.new([+"a"])
    caller_runs_cache.grant(Change, Change.object_id, 64_000, 9)
    failures = [{}, { min_batch: 0 }].map { |options| @pool.dispatch_async([fields, 1], Change, **options).value[0] }
    assert_equal %w[FrozenError] * 2, failures.map(&:exception_class)
    assert_equal Fields.new(["a"]), fields
  end

  module Change
    def self.call(item)
      item == 1 || item.fields << "!"
    end
  end

  def test_the_short_way_freezes_what_is_not_plain_and_refuses_what_cannot_be_shared
    maker = Ractor.make_shareable(Class.new { def call(item) = item == 1 ? Struct.new(:a).new([]) : $stdout }.new)
    pretend(maker, 100)
    @pool.dispatch_async([1], maker).value(timeout: 5)
    caller_runs_cache.grant(maker, 1, 64_000, 9)
    results = @pool.dispatch_async([1, 2].freeze, maker).value
    assert results[0].frozen? && results[0].a.frozen?
    assert_equal "Ratomic::ShareableError", results[1].exception_class
    refute_predicate $stdout, :frozen?
  end

  # What the caller runs sees the memory of the program.
  class Memo
    def call(item)
      kept = Thread.main[:ratomic_test_memo]
      kept[:list] << item.to_s
      item.even? ? kept[:sets] : kept[:list]
    end
  end

  def test_objects_that_the_program_goes_on_using_are_not_frozen
    @pool.kill
    @pool = Ratomic::Workers::Pool.new(size: 2, backend: :thread)
    Thread.main[:ratomic_test_memo] = { list: [+"a", [1]], sets: [Set[+"x"], Struct.new(:a).new([])] }
    memo = Ractor.make_shareable(Memo.new)
    @pool.dispatch_async([], memo).value(timeout: 5) # so that there is an engine
    pretend(memo, 100)
    long = @pool.dispatch_async([1, 2, 3], memo).value(timeout: 5)
    caller_runs_cache.grant(memo, memo.object_id, 64_000, 9)
    short = [[1, 3], [1, 2, 3]].map { |items| @pool.dispatch_async(items.freeze, memo).value(timeout: 5) }
    kept = Thread.main[:ratomic_test_memo]
    assert_equal 2 + 3 + 2 + 3, kept[:list].size, "all of it was run by the caller"
    [long, *short].each { |results| assert Ractor.shareable?(results) }
    assert_equal [%w[a] + [[1]] + %w[1 2 3 1 3]] * 2, short[0]
    refute [kept, kept[:list], *kept[:list].first(2), kept[:sets], *kept[:sets], kept[:sets][1].a].any?(&:frozen?)
  ensure
    Thread.main[:ratomic_test_memo] = nil
  end

  def test_the_short_way_ends_after_so_many_dispatches_and_is_found_again
    await_cached(Where)
    known = costs.of(Where)
    (Ratomic::Workers::Costs::CACHED_USES + 1).times { @pool.dispatch_async([1].freeze, Where) }
    refute_equal known, costs.of(Where), "it was measured again"
    eventually(STATE_TIMEOUT_S, "its entry in the cache again") do # as above
      @pool.dispatch_async([1].freeze, Where).wait(timeout: 5)
      caller_runs_cache.take(Where, [1].freeze)
    end
  end

  # A sleep of 0 would give the processor to others: on a busy machine it takes too long to get into the cache.
  module Doze
    def self.call(seconds)
      sleep(seconds) if seconds.positive?
      seconds
    end
  end

  def test_a_dispatch_that_takes_long_is_learnt_from_and_was_the_last_on_the_short_way
    await_cached(Doze, [0].freeze)
    assert_equal [0.01], @pool.dispatch_async([0.01].freeze, Doze).value
    refute caller_runs_cache.take(Doze, [0].freeze)
    refute_kind_of Ratomic::Workers::ResolvedFuture, @pool.dispatch_async([0].freeze, Doze)
  end

  # Leaves something on its thread, in a way of many.
  class Leaves
    def initialize(way)
      @way = way
      Ractor.make_shareable(self)
    end

    def call(item)
      thread = Thread.current
      case @way
      when :local then thread[:left] = 1
      when :changed_local then thread[:mine] = 2
      when :removed_local then thread[:mine] = nil
      when :variable then thread.thread_variable_set(:left, 1)
      when :storage then Fiber[:left] = 1
      when :report then thread.report_on_exception = !thread.report_on_exception
      when :abort then thread.abort_on_exception = true
      when :priority then thread.priority -= 1
      end
      item
    end
  end

  LEFT_BEHIND = %i[local changed_local removed_local variable report abort priority].tap do |ways|
    ways << :storage if Fiber.respond_to?(:[])
  end.freeze

  def on_the_thread
    thread = Thread.current
    variables = thread.thread_variables.to_h { |name| [name, thread.thread_variable_get(name)] }.compact # nil stays
    [thread.keys.to_h { |key| [key, thread[key]] }, variables, thread.report_on_exception,
     thread.abort_on_exception, thread.priority, Fiber.respond_to?(:[]) && Fiber[:left]]
  end

  LEFT_BEHIND.each do |way|
    define_method("test_what_an_item_leaves_on_its_thread_is_taken_away_from_its_caller_#{way}") do
      thread = Thread.new do
        Thread.current.report_on_exception = false
        Thread.current[:mine] = 1
        pretend(leaves = Leaves.new(way), 100)
        before = on_the_thread
        assert_predicate @pool.dispatch_async([1], leaves), :ready?
        assert_equal before, on_the_thread
        pretend(leaves, 100)
        before_caller = by_caller
        @pool.dispatch_async([1], leaves).wait(timeout: 5)
        assert_equal before_caller, by_caller, "it is not for callers any more"
      end
      thread.value
    end
  end

  def test_a_callable_that_leaves_something_on_a_workers_thread_is_never_run_by_a_caller
    leaves = Leaves.new(:local)
    before = on_the_thread
    100.times { @pool.dispatch_async([1], leaves).wait(timeout: 5) }
    assert_equal [0, before], [by_caller, on_the_thread]
  end

  # One class, which does as much as each object is told.
  class Adapter
    def initialize(seconds)
      @seconds = seconds
      Ractor.make_shareable(self)
    end

    def call(item)
      item == :slow ? sleep(0.3) : sleep(@seconds)
      item
    end
  end

  def test_costs_of_one_object_do_not_count_for_another_of_its_class
    pretend(cheap = Adapter.new(0), 100)
    assert_predicate @pool.dispatch_async([1], cheap), :ready?
    dear = Adapter.new(0.02)
    future = @pool.dispatch_async([1] * 50, dear)
    refute_kind_of Ratomic::Workers::ResolvedFuture, future
    future.cancel
    assert_nil costs.small(Ratomic::Workers::Callable.key(dear))
    2.times { |n| @pool.dispatch_async([1], Adapter.new(n / 100.0), min_batch: 0).wait(timeout: 5) }
    known = @pool.stats[:costs].keys.grep(/Adapter/)
    assert_operator known.size, :>=, 2 # and one more, if an item of the dear one ended before the rest was cancelled
    assert_equal ["CallerRunsTest::Adapter", *(2..known.size).map { |n| "CallerRunsTest::Adapter (#{n})" }], known
  end

  def test_two_procs_of_one_line_are_two
    cheap, dear = [0, 0.3].map do |time|
      Ractor.make_shareable(nil.instance_exec { proc { |item| sleep(time) && item } })
    end
    pretend(cheap, 100)
    assert_predicate @pool.dispatch_async([1], cheap), :ready?
    future = @pool.dispatch_async([1], dear)
    refute_kind_of Ratomic::Workers::ResolvedFuture, future
    future.cancel
  end

  # Fifty items, all of them quick but one: 50 times 2 ms would be as long, and each is far from that.
  def test_after_a_dispatch_that_far_overran_its_estimate_the_pool_gets_the_next
    [false, true].each do |short_way|
      pretend(adapter = Adapter.new(0), 100)
      caller_runs_cache.grant(adapter, adapter.object_id, 64_000, 9) if short_way
      items = [*[1] * 199, :slow].freeze
      @pool.dispatch_async(items, adapter).value(timeout: 10) # on a busy machine the pool has run the last of them
      future = @pool.dispatch_async(items, adapter)
      refute_instance_of Ratomic::Workers::ResolvedFuture, future
      future.cancel
    end
  end

  def test_a_pool_that_was_shut_down_runs_nothing_on_the_short_way
    await_cached(Where)
    @pool.shutdown(timeout: 5)
    assert_raises(Ratomic::Workers::ShutdownError) { @pool.dispatch_async([1].freeze, Where) }
  end

  def test_subscribers_are_told_of_what_would_take_the_short_way
    await_cached(Where)
    events = Ratomic::Queue.new(100)
    subscription = @pool.subscribe(events)
    @pool.dispatch_async([1].freeze, Where).value(timeout: 5)
    assert_equal :dispatched, events.pop(timeout: 5).name
    subscription.cancel
    caller_runs_cache.grant(Where, Where.object_id, 64_000, 9) # a busy machine may have revoked it
    assert caller_runs_cache.take(Where, [1].freeze)
  end

  def test_a_dispatch_inside_an_item_has_its_own_context_on_the_short_way_too
    reader = Ractor.make_shareable(Class.new { def call(_item) = Ratomic::Workers.context }.new)
    pretend(reader, 100)
    @pool.dispatch_async([1], reader).value(timeout: 5)
    caller_runs_cache.grant(reader, 1, 64, 9)
    Ratomic::Workers::Context.with(:outer) do
      assert_equal [nil], @pool.dispatch_async([1].freeze, reader).value
      assert_equal :outer, Ratomic::Workers.context
    end
  end

  def test_it_sees_the_context_and_leaves_none
    reader = Ractor.make_shareable(Class.new { def call(_item) = Ratomic::Workers.context }.new)
    pretend(reader, 100)
    assert_equal [:trace], @pool.dispatch_async([1], reader, context: :trace).value
    assert_nil Ratomic::Workers.context
    assert_equal 1, by_caller
  end
end
