# frozen_string_literal: true

require "support/worker_callables"

# The contract, for all backends, of results that are never made: of dropped items, of runs, of sums, of pipelines. To
# be included together with BackendContract.
module UnmadeResultsContract
  Workers = Ratomic::Workers
  DROPPED = Workers::DROPPED

  # Keeps every tenth number; the Symbols misbehave.
  module KeepTens
    def self.call(item)
      return WorkerCallables::Misbehave.call(item) if item.is_a?(Symbol)

      (item % 10).zero? ? [item] : DROPPED
    end
  end

  # Has kept and dropped, of what an item dispatches itself.
  class KeepWithin
    def initialize(pool)
      @pool = pool
      Ractor.make_shareable(self)
    end

    def call(count)
      future = @pool.dispatch_async((1..count).to_a, KeepTens)
      [future.value, future.indices, future.dropped]
    end
  end

  # Doubles numbers in runs, and counts its calls. A Symbol misbehaves in either.
  class Runs
    attr_reader :runs, :calls, :largest

    # @param in_run [Symbol, nil] what happens in a run that has no Symbol
    def initialize(in_run = nil)
      @in_run = in_run
      @runs = Ratomic::Counter.new
      @calls = Ratomic::Counter.new
      @largest = Ratomic::Map.new
      Ractor.make_shareable(self)
    end

    def call(item)
      @calls.increment
      double(item)
    end

    def call_many(items)
      @runs.increment
      @largest.compute(:size) { |size| [size || 0, items.size].max }
      raise FrozenError, "not frozen" unless items.frozen?

      case @in_run
      when nil then items.map { |item| double(item) }
      when :too_few then items.drop(1)
      when :no_array then "text"
      when :failures then items.map { |item| Workers::Failure.from(KeyError.new("bad #{item}"), nil) }
      when :odd then items.map { |item| item.odd? ? DROPPED : item }
      else WorkerCallables::Misbehave.call(@in_run)
      end
    end

    private

    def double(item)
      item.is_a?(Symbol) ? WorkerCallables::Misbehave.call(item) : item * 2
    end
  end

  # Sums what a dispatch of its own gives.
  class SumWithin
    def initialize(pool, callable)
      @pool = pool
      @callable = callable
      Ractor.make_shareable(self)
    end

    def call(count)
      @pool.dispatch_async(Array.new(count, &:itself), @callable).value.sum
    end
  end

  # Waits in a run.
  class HoldRun < WorkerCallables::Hold
    def call_many(items)
      items.map { |item| call(item) }
    end
  end

  # Has all that a reduction needs, and counts numbers by their last digit. A Symbol misbehaves.
  class CountDigits
    def initialize
      Ractor.make_shareable(self)
    end

    def initial
      Hash.new(0)
    end

    def call(item)
      item.is_a?(Symbol) ? WorkerCallables::Misbehave.call(item) : item % 10
    end

    def add(sum, digit)
      sum[digit] += 1
      sum
    end

    def merge(sum, other)
      sum.merge!(other) { |_, one, two| one + two }
    end
  end

  # Drops odd numbers, and gives the others' text.
  module EvenText
    def self.call(item)
      return WorkerCallables::Misbehave.call(item) if item.is_a?(Symbol)

      item.odd? ? DROPPED : item.to_s
    end
  end

  # Its sum cannot come home.
  class SumOfThreads < CountDigits
    def initial
      []
    end

    def add(sum, _digit)
      sum << Thread.current
    end
  end

  # Stages.
  module Halve
    def self.call(item)
      return WorkerCallables::Misbehave.call(item) if item.is_a?(Symbol)

      item.odd? ? DROPPED : item / 2
    end
  end

  module Small
    def self.call(item)
      raise RangeError, "#{item} is too much" if item > 150

      item > 100 ? DROPPED : item
    end
  end

  # A stage that takes runs.
  class Tens
    attr_reader :runs

    def initialize
      @runs = Ratomic::Counter.new
      Ractor.make_shareable(self)
    end

    def call(item)
      raise KeyError, "no #{item}" if item == 13

      item * 10
    end

    def call_many(items)
      @runs.increment
      items.map { |item| call(item) }
    end
  end

  # A pool of which the callable is run by the caller, as far as the backend has that.
  def pool_for_callers(callable)
    pool = Workers::Pool.new(size: 2, backend: backend)
    pool.dispatch_async([1], callable, min_batch: 0).value(timeout: 5)
    measure_often(pool, callable)
    yield pool
  ensure
    pool.kill
  end

  # As if it had run quickly and often. A dispatch that a busy machine has held up is followed by some for the workers.
  def measure_often(pool, callable)
    costs = pool.instance_variable_get(:@cell)[:engine].costs
    400.times { costs.learn(Workers::Callable.key(callable), Workers::WorkEstimate::ITEM_WEIGHT, 10, 1) }
  end

  # --- dropped items

  def test_dropped_items_have_no_result_and_the_others_say_where_they_stood
    future = @pool.dispatch_async((0...1000).to_a, KeepTens)
    survivors = (0...1000).step(10).to_a
    assert_equal survivors.map { |n| [n] }, future.value(timeout: 15)
    assert_equal survivors, future.indices(timeout: 0)
    assert_equal [900, 1000, [1000, 1000]], [future.dropped, future.size, future.progress.to_a]
    assert Ractor.shareable?(future.value) && Ractor.shareable?(future.indices)
    assert_equal({ accepted: 1000, finished: 1000, in_flight: 0, dropped: 900 }, @pool.stats[:items])
    assert_includes @pool.to_prometheus, "items_dropped_total{pool=\"#{@pool.name}\",backend=\"#{backend}\"} 900"
  end

  def test_where_nothing_is_dropped_all_indices_are_there_and_where_all_is_none_are
    future = @pool.dispatch_async([10, 20], KeepTens)
    assert_equal [[[10], [20]], [0, 1], 0], [future.value(timeout: 15), future.indices, future.dropped]
    future = @pool.dispatch_async([1, 2, 3], KeepTens)
    assert_equal [[], [], 3], [future.value(timeout: 15), future.indices, future.dropped]
    assert_equal [], future.value!
  end

  def test_a_failure_among_survivors_keeps_the_index_of_its_item
    items = Array.new(60) { |i| i == 33 ? :raise_error : i }
    future = @pool.dispatch_async(items, KeepTens)
    value = future.value(timeout: 15)
    assert_equal [0, 10, 20, 30, 33, 40, 50], future.indices
    assert_failure value[4], "KeyError", 33
    error = assert_raises(Workers::ItemError) { future.value! }
    assert_equal 33, error.failure.index
  end

  def test_each_and_each_completed_yield_nothing_for_a_dropped_item
    future = @pool.dispatch_async((1..200).to_a, KeepTens)
    kept = (10..200).step(10).to_a
    assert_equal kept.map { |n| [n] }, future.each(timeout: 15).to_a
    assert_equal(kept.map { |n| [[n], n - 1] }, future.each_completed(timeout: 15).sort_by(&:last))
    assert_equal [20, 20], [future.each.size, future.each_completed.size]
  end

  def test_only_the_result_itself_is_dropped_and_copies_of_it_are_it
    assert_equal [[DROPPED]], value_of([0], Ractor.make_shareable(Class.new { def call(_) = [DROPPED] }.new))
    assert_same DROPPED, DROPPED.dup
    assert_same DROPPED, DROPPED.clone(freeze: false)
    assert_equal "Ratomic::Workers::DROPPED", DROPPED.inspect
  end

  def test_the_watched_way_and_the_moved_lane_drop_as_well
    [{ item_timeout: 10 }, { move: true }, { sequential: true }].each do |options|
      future = @pool.dispatch_async((1..50).to_a, KeepTens, **options)
      assert_equal [[[10], [20], [30], [40], [50]], [9, 19, 29, 39, 49]],
                   [future.value(timeout: 15), future.indices], options.inspect
    end
  end

  def test_what_is_dropped_before_a_cancellation_stays_dropped
    skip "the dispatch is over when it returns" if backend == :inline

    hold = WorkerCallables::Hold.new
    drops = Ractor.make_shareable(Class.new do
      def initialize(hold) = @hold = hold
      def call(item) = item < 4 ? DROPPED : @hold.call(item)
    end.new(hold))
    future = @pool.dispatch_async((0...20).to_a, drops)
    # A slow machine may cut the first chunk, and both workers be held before they have run the rest of it.
    eventually { hold.begun.value.positive? && future.dropped.positive? }
    assert future.cancel
    left = future.indices(timeout: 5)
    assert_equal (4...20).to_a, left.last(16)
    assert_includes 0..3, left.size - 16
    value = future.value(timeout: 5)
    assert_equal(left.map { |index| [index, "Ratomic::Workers::CancelledError"] },
                 value.map { |failure| [failure.index, failure.exception_class] })
    assert_raises(Workers::CancelledError) { future.value! }
  ensure
    hold&.open
  end

  def test_items_within_items_drop_theirs
    assert_equal [[[[10], [20]], [9, 19], 23]] * 3, value_of([25] * 3, KeepWithin.new(@pool))
  end

  def test_events_say_how_many_were_dropped
    queue = Ratomic::Queue.new(100)
    subscription = @pool.subscribe(queue)
    value_of((1..20).to_a, KeepTens)
    event = nil
    within(5) { event = queue.pop until event&.name == :completed }
    assert_equal [20, 18], [event[:items], event[:dropped]]
  ensure
    subscription&.cancel
  end

  def test_a_stream_yields_nothing_for_dropped_items
    items = Array.new(400) { |i| i == 234 ? :raise_error : i }
    kept = (0...400).step(10).map { |n| [n] }
    key = ->(item) { item.is_a?(Symbol) ? 4 : item % 7 }
    [{}, { key: key }, { max_in_flight: 8 }, { key: key, max_in_flight: 16 }].each do |options|
      results = within(30) { @pool.stream(items, KeepTens, **options).to_a }
      assert_equal kept, results.grep(Array), options.inspect
      assert_equal [234], results.grep(Workers::Failure).map(&:index)
      unordered = within(30) { @pool.stream(items, KeepTens, ordered: false, **options).to_a }
      assert_equal kept, unordered.grep(Array).sort, options.inspect
    end
  end

  def test_a_stream_of_which_all_is_dropped_ends
    assert_equal [], within(20) { @pool.stream(Array.new(500, 1), KeepTens, max_in_flight: 8).to_a }
  end

  def test_items_that_the_caller_runs_may_be_dropped_as_well
    pool_for_callers(KeepTens) do |pool|
      3.times do
        measure_often(pool, KeepTens)
        future = pool.dispatch_async([11, 20], KeepTens) # of more, a busy machine may give some to the pool
        assert_kind_of Workers::ResolvedFuture, future unless backend == :inline
        assert_equal [[[20]], [1]], [future.value(timeout: 5), future.indices]
        assert_equal [1, 2], [future.dropped, future.size]
        assert_equal [[[20], 1]], future.each_completed.to_a
        assert_equal [[20]], future.each.to_a
        assert_equal [0, 1], pool.dispatch_async([10, 20], KeepTens).indices(timeout: 5)
        measure_often(pool, KeepTens)
        future = pool.dispatch_async([10, 11, 20], KeepTens)
        assert_equal [[[10], [20]], [0, 2]], [future.value(timeout: 5), future.indices]
      end
      assert_equal 7, pool.stats[:items][:dropped]
    end
  end

  # --- runs

  def test_a_callable_with_call_many_gets_chunks_and_call_is_not_called
    runs = Runs.new
    assert_equal (0...5000).map { |n| n * 2 }, value_of((0...5000).to_a, runs)
    assert_equal 0, runs.calls.value
    assert_operator runs.runs.value, :<, 2600
    assert_operator runs.largest[:size], :>=, 2
  end

  def test_a_run_that_raises_is_run_again_one_by_one
    items = Array.new(100) { |i| i == 57 ? :raise_error : i }
    runs = Runs.new
    results = value_of(items, runs)
    assert_failure results[57], "KeyError", 57
    assert_equal (0...100).to_a - [57], (results - [results[57]]).map { |n| n / 2 }
    assert_operator runs.calls.value, :>, 0
  end

  {
    raise_exception: "WorkerCallables::Misbehave::Deep", overflow_stack: "SystemStackError",
    leave_program: "SystemExit", throw_tag: "UncaughtThrowError", end_thread: "ThreadError",
    end_worker: "ThreadError", interrupt: "Interrupt", raise_at_its_thread: "IOError"
  }.each do |what, exception_class|
    define_method("test_#{what}_in_a_run_is_a_failure_of_its_item_alone") do
      items = Array.new(40) { |i| i == 17 ? what : i }
      [{}, { sequential: true }, { retries: 1 }].each do |options|
        results = value_of(items, Runs.new, **options)
        assert_failure results[17], exception_class, 17
        assert_equal (0...40).to_a - [17], (results - [results[17]]).map { |n| n / 2 }, options.inspect
      end
      assert_good_as_new
    end

    define_method("test_#{what}_that_only_a_run_does_costs_no_result") do
      assert_equal [2, 4, 6], value_of([1, 2, 3], Runs.new(what))
      assert_equal [2, 4, 6], value_of([1, 2, 3], Runs.new(what), move: true)
      assert_good_as_new
    end
  end

  def test_a_run_with_another_number_of_results_or_none_fails_as_a_whole_and_says_why
    { too_few: /returned [0-9]+ results for [0-9]+ items/,
      no_array: /returned an instance of String/ }.each do |way, words|
      results = value_of((1..10).to_a, Runs.new(way))
      results.each_with_index do |result, index|
        assert_failure result, "Ratomic::Workers::CallableError", index
        assert_match words, result.message
      end
    end
    assert_equal 20, @pool.stats[:failures]["Ratomic::Workers::CallableError"]
  end

  def test_a_failure_without_an_index_in_a_run_is_that_of_its_item
    runs = Runs.new(:failures)
    value_of((1..50).to_a, runs).each_with_index do |result, index|
      assert_failure result, "KeyError", index
      assert_equal "bad #{index + 1}", result.message
    end
    assert_equal [0, 50], [runs.calls.value, @pool.stats[:failures]["KeyError"]]
  end

  def test_a_run_may_drop_items
    future = @pool.dispatch_async((1..50).to_a, Runs.new(:odd))
    assert_equal [(2..50).step(2).to_a, 25], [future.value(timeout: 15), future.dropped]
  end

  def test_where_each_item_has_its_time_they_are_run_one_by_one
    runs = Runs.new
    assert_equal [2, 4, 6], value_of([1, 2, 3], runs, item_timeout: 10)
    assert_equal [0, 3], [runs.runs.value, runs.calls.value]
  end

  def test_runs_of_moved_items_of_streams_and_within_items
    runs = Runs.new
    assert_equal (0...100).map { |n| n * 2 }, value_of((0...100).to_a, runs, move: true)
    assert_equal backend == :inline ? 100 : 0, runs.calls.reset
    assert_equal (0...500).map { |n| n * 2 }, within(20) { @pool.stream(0...500, runs).to_a }
    assert_equal [90, 90, 90], value_of([10, 10, 10], SumWithin.new(@pool, runs))
    assert_equal 0, runs.calls.value
  end

  def test_a_run_is_cancelled_and_interrupted_as_an_item_is
    skip "the dispatch is over when it returns" if backend == :inline

    hold = HoldRun.new
    future = @pool.dispatch_async((0...50).to_a, hold)
    eventually { hold.begun.value.positive? }
    assert future.cancel(interrupt: true)
    assert_equal ["Ratomic::Workers::CancelledError"], future.value(timeout: 5).map(&:exception_class).uniq
    assert_good_as_new
  ensure
    hold&.open
  end

  def test_a_run_ends_with_the_deadline_of_its_dispatch
    hold = HoldRun.new
    results = value_of((0...50).to_a, hold, timeout: 0.2)
    assert_equal ["Ratomic::Workers::DispatchTimeoutError"], results.map(&:exception_class).uniq
    assert_good_as_new
  ensure
    hold&.open
  end

  def test_items_that_the_caller_runs_are_one_run
    runs = Runs.new
    pool_for_callers(runs) do |pool|
      before = runs.runs.value
      3.times do
        measure_often(pool, runs)
        assert_equal [2, 4, 6], pool.dispatch_async([1, 2, 3], runs).value(timeout: 5)
      end
      learnt = -> { "learnt: #{pool.stats[:callables]}, last failures: #{pool.stats[:last_failures]}" }
      assert_equal [before + 3, 0], [runs.runs.value, runs.calls.value], learnt unless backend == :inline
      %i[raise_error throw_tag].each do |what|
        results = pool.dispatch_async([1, what, 3], runs).value(timeout: 5)
        assert_equal [2, 6], results.values_at(0, 2)
        assert_equal 1, results[1].index
      end
    end
  end

  def test_a_caller_gets_the_failures_of_a_run_as_from_a_worker
    pool_for_callers(runs = Runs.new(:too_few)) do |pool|
      results = pool.dispatch_async([1, 2], runs).value(timeout: 5)
      assert_equal [[0, 1], ["Ratomic::Workers::CallableError"]],
                   [results.map(&:index), results.map(&:exception_class).uniq]
    end
  end

  # --- sums

  def skip_without_shareable_blocks
    skip "no block is shareable without Ractors" unless Ratomic::RACTORS || backend == :thread
  end

  def test_a_block_folds_results_and_merges_sums
    skip_without_shareable_blocks
    reduction = within(20) { @pool.reduce(1..1000, WorkerCallables::Double, initial: 0) { |sum, n| sum + n } }
    assert_equal [1_001_000, 1000, 0, 0, []],
                 [reduction.sum, reduction.count, reduction.failed, reduction.dropped, reduction.failures]
    assert_predicate reduction, :ok?
  end

  def test_sums_are_merged_in_the_order_of_the_items
    skip_without_shareable_blocks
    text = (0...2000).select(&:even?).join
    reduction = within(20) { @pool.reduce(0...2000, EvenText, initial: "") { |sum, part| sum + part } }
    assert_equal [text, 1000, 1000, 2000], [reduction.sum, reduction.count, reduction.dropped, reduction.size]
    append = ->(sum, part) { sum << part }
    changed = within(20) { @pool.reduce(0...2000, EvenText, initial: +"", merge: append, &append) }
    assert_equal text, changed.sum
  end

  def test_an_object_with_all_methods_of_a_reduction_needs_no_block
    reduction = within(20) { @pool.reduce(0...1234, CountDigits.new) }
    assert_equal((0..9).to_h { |digit| [digit, digit < 4 ? 124 : 123] }, reduction.sum.sort.to_h)
    assert_equal 1234, reduction.count
  end

  def test_without_results_a_reduction_returns_its_initial_value
    assert_equal [{}, 0], @pool.reduce([], CountDigits.new).then { |reduction| [reduction.sum, reduction.count] }
    skip_without_shareable_blocks
    reduction = @pool.reduce([1, 3], EvenText, initial: "none") { |sum, part| sum + part }
    assert_equal ["none", 0, 2], [reduction.sum, reduction.count, reduction.dropped]
  end

  def test_failures_come_beside_the_sum_up_to_a_number
    items = Array.new(1000) { |i| (i % 10).zero? ? :raise_error : i }
    reduction = within(20) { @pool.reduce(items, CountDigits.new, max_failures: 3) }
    assert_equal [[0, 10, 20], 100, 900], [reduction.failures.map(&:index), reduction.failed, reduction.count]
    assert_failure reduction.failures[1], "KeyError", 10
    refute_predicate reduction, :ok?
    assert_equal 100, @pool.stats[:failures]["KeyError"]
    reduction = within(20) { @pool.reduce(items, CountDigits.new, max_failures: 0) }
    assert_equal [[], 100], [reduction.failures, reduction.failed]
    assert_equal 200, @pool.stats[:failures]["KeyError"]
    assert_raises(Workers::ItemError) { reduction.check }
    error = assert_raises(Workers::ItemError) { @pool.reduce_async(items, CountDigits.new).value!(timeout: 10) }
    assert_equal 0, error.failure.index
  end

  %i[end_thread end_worker throw_tag interrupt overflow_stack raise_exception].each do |what|
    define_method("test_#{what}_in_a_reduction_loses_no_other_item") do
      items = Array.new(60) { |i| i == 31 ? what : i }
      reduction = within(20) { @pool.reduce(items, CountDigits.new) }
      assert_equal [59, 1, [31]], [reduction.count, reduction.failed, reduction.failures.map(&:index)]
      assert_equal 5, reduction.sum[1]
    end
  end

  def test_what_the_block_raises_is_the_failure_of_its_item
    skip_without_shareable_blocks
    reduction = @pool.reduce([1, 2, :raise_error, 4], KeepTens, initial: 0) { |sum, n| sum + n }
    assert_equal [0, 3, ["KeyError"]], [reduction.count, reduction.dropped, reduction.failures.map(&:exception_class)]
    reduction = @pool.reduce([10, 20, 30], WorkerCallables::Double, initial: 0) do |sum, n|
      n == 40 ? raise(IndexError, "no 40") : sum + n
    end
    assert_equal [80, [[1, "IndexError"]]],
                 [reduction.sum, reduction.failures.map { |failure| [failure.index, failure.exception_class] }]
  end

  def test_a_sum_that_cannot_be_sent_back_is_reported_and_counted
    reduction = within(20) { @pool.reduce([1, 2, 3], SumOfThreads.new) }
    assert_equal [[], 0, 3], [reduction.sum, reduction.count, reduction.failed]
    assert_equal ["Ratomic::ShareableError"], reduction.failures.map(&:exception_class).uniq
    assert_match(/@sum/, reduction.failures[0].message)
  end

  def test_a_reduction_in_runs_and_one_whose_runs_fail
    skip_without_shareable_blocks
    runs = Runs.new
    assert_equal 999_000, within(20) { @pool.reduce(0...1000, runs, initial: 0) { |sum, n| sum + n } }.sum
    assert_equal 0, runs.calls.value
    items = Array.new(100) { |i| i == 57 ? :raise_error : 1 }
    reduction = within(20) { @pool.reduce(items, runs, initial: 0) { |sum, n| sum + n } }
    assert_equal [198, [57]], [reduction.sum, reduction.failures.map(&:index)]
    reduction = within(20) { @pool.reduce(1..10, Runs.new(:too_few), initial: 0) { |sum, n| sum + n } }
    assert_equal [0, 10, (0...10).to_a], [reduction.sum, reduction.failed, reduction.failures.map(&:index)]
  end

  def test_every_option_of_a_dispatch_is_one_of_a_reduction
    [{ item_timeout: 10 }, { sequential: true }, { move: true }, { context: 1 }, { min_batch: :auto }].each do |options|
      assert_equal 100, within(20) { @pool.reduce(0...100, CountDigits.new, **options) }.count, options.inspect
    end
    assert_raises(ArgumentError) { @pool.reduce([1], CountDigits.new, no_such: 1) }
  end

  def test_a_reduction_is_awaited_cancelled_and_looked_at
    skip "the dispatch is over when it returns" if backend == :inline

    hold = WorkerCallables::Hold.new
    reducing = @pool.reduce_async([1] * 10, hold, initial: 0) { |sum, n| sum + n }
    eventually { hold.begun.value.positive? }
    refute_predicate reducing, :ready?
    refute reducing.wait(timeout: 0.01)
    assert_raises(Workers::WaitTimeoutError) { reducing.value(timeout: 0) }
    assert_equal [0, 10], reducing.progress.to_a
    assert reducing.cancel(interrupt: true)
    assert_predicate reducing, :cancelled?
    reduction = reducing.value(timeout: 5)
    assert_equal [0, 10, (0...10).to_a], [reduction.sum, reduction.failed, reduction.failures.map(&:index)]
    assert_raises(Workers::CancelledError) { reducing.value!(timeout: 5) }
  ensure
    hold&.open
  end

  def test_a_thread_that_is_ended_while_it_waits_for_a_sum_cancels_the_reduction
    skip "the dispatch is over when it returns" if backend == :inline

    hold = WorkerCallables::Hold.new
    sums = Ractor.make_shareable(Class.new(CountDigits) do
      def initialize(hold) = (@hold = hold) && super()
      def call(item) = @hold.call(item)
    end.new(hold))
    thread = Thread.new { @pool.reduce([1] * 10, sums) }
    eventually { hold.begun.value.positive? }
    thread.kill.join
    eventually { @pool.stats[:dispatches][:cancelled] == 1 }
  ensure
    hold&.open
  end

  def test_a_reduction_that_the_caller_runs_gives_the_same
    sums = CountDigits.new
    @pool.reduce([1], sums)
    costs = @pool.instance_variable_get(:@cell)[:engine].costs
    400.times { costs.learn(-sums.object_id, Workers::WorkEstimate::ITEM_WEIGHT, 10, 1) }
    # Of more than two items, a busy machine may give some to the pool.
    reduction = @pool.reduce([1, :raise_error], sums, min_batch: :auto)
    assert_equal [{ 1 => 1 }, 1, [1]], [reduction.sum, reduction.count, reduction.failures.map(&:index)]
    assert_equal 1, @pool.stats[:dispatches][:by_caller] unless backend == :inline
  end

  # --- pipelines

  def test_a_pipeline_is_one_callable_of_several
    pipeline = Workers.pipeline(Halve, Small)
    future = @pool.dispatch_async((0...240).to_a, pipeline)
    assert_equal (0..100).to_a, future.value!(timeout: 15)
    assert_equal (0..200).step(2).to_a, future.indices
    assert_equal [[240, 120, 120, 0], [120, 101, 19, 0]],
                 pipeline.stats.map { |stage| stage.values_at(:entered, :kept, :dropped, :failed) }
    assert pipeline.stats.all? { |stage| stage[:seconds].positive? }
    name = "#{Halve.name} > #{Small.name}"
    assert_equal pipeline.stats, @pool.stats[:pipelines][name]
    assert_equal pipeline.stats, @pool.explain([1], pipeline).to_h[:stages]
    assert_match(/stage #{Small.name}: .* each; of 120 items 101 kept, 19 dropped, 0 failed/,
                 @pool.explain([1], pipeline).to_s)
  end

  def test_a_failure_names_its_stage
    items = [0, :raise_error, 400, 2, :overflow_stack]
    [{}, { item_timeout: 10 }, { move: true }, { sequential: true }].each do |options|
      results = value_of(items, Workers.pipeline(Halve, Small), **options)
      assert_equal [Halve.name, Small.name, Halve.name], results.values_at(1, 2, 4).map(&:stage), options.inspect
      assert_equal [0, 1], results.values_at(0, 3)
      assert_failure results[2], "RangeError", 2
      assert_match(/item 2 in #{Small.name}: RangeError: 200 is too much/, results[2].to_s)
    end
    assert_nil value_of([:raise_error], Halve)[0].stage
  end

  def test_a_stage_with_call_many_gets_runs_of_the_survivors
    tens = Tens.new
    pipeline = Workers.pipeline(Halve, tens, Small)
    future = @pool.dispatch_async((0...20).to_a, pipeline)
    assert_equal (0..9).map { |n| n * 10 }, future.value!(timeout: 15)
    assert_operator tens.runs.value, :<=, 10
    results = value_of([0, 26, 4, 40], pipeline) # the second is 13 for the run, which raises, and 20 is too much
    assert_equal [0, 20], results.values_at(0, 2)
    assert_equal [[1, Tens.name, "KeyError"], [3, Small.name, "RangeError"]],
                 results.values_at(1, 3).map { |failure| [failure.index, failure.stage, failure.exception_class] }
    assert_equal [0, 1, 1], pipeline.stats.map { |stage| stage[:failed] }
  end

  def test_an_item_of_a_pipeline_may_end_its_thread
    results = value_of([0, 2, :end_thread, 4], Workers.pipeline(Halve, Small))
    assert_equal [0, 1, 2], results.values_at(0, 1, 3)
    assert_failure results[2], "ThreadError", 2
    assert_good_as_new
  end

  def test_a_pipeline_in_a_stream_a_reduction_and_a_pipeline
    pipeline = Workers.pipeline(Halve, Small)
    assert_equal (0..49).to_a, within(20) { @pool.stream(0...100, pipeline).to_a }
    longer = Workers.pipeline(pipeline, CountDigits.new)
    assert_equal [Halve, Small], longer.stages.first(2)
    skip_without_shareable_blocks
    assert_equal 225, within(20) { @pool.reduce(0...100, longer, initial: 0) { |sum, n| sum + n } }.sum
  end
end
