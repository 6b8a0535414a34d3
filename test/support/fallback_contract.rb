# frozen_string_literal: true

require "etc"
require "support/worker_callables"
require "support/process_ledger"

# The contract of `fallback:` for either backend. The including test defines `fallback`, the name of the backend.
module FallbackContract
  include WorkerCallables

  Workers = Ratomic::Workers
  Failure = Workers::Failure

  # Where an item was run: an item of 10 or more cannot be read in a Ractor.
  module Picky
    TABLE = Hash.new { |_, item| item * 2 } # not frozen, and cannot be

    def self.call(item)
      return WorkerCallables::Misbehave.call(item) if item.is_a?(Symbol)

      [item, item >= 10 ? TABLE.fetch(item) { item * 2 } : item * 2, FallbackContract.outside?]
    end
  end

  # Raises what only a Ractor does, in other words.
  module Wrapped
    def self.call(item)
      Etc.getpwuid(Process.uid)
      item
    rescue StandardError
      raise ArgumentError, "cannot read #{item}"
    end
  end

  # Fails everywhere.
  module Faulty
    LIST = [+"text"] # rubocop:disable Style/MutableConstant

    def self.call(item)
      LIST.first
      raise KeyError, "no #{item}"
    end
  end

  # Sleeps, outside of Ractors only.
  module Sleepy
    LIST = [+"text"] # rubocop:disable Style/MutableConstant

    def self.call(item)
      LIST.first && sleep(item)
      item
    end
  end

  # Notes each item in a file, in the order in which they are done; of those of 10 and more outside of Ractors only.
  class Noting
    LIST = [+"text"] # rubocop:disable Style/MutableConstant

    def initialize(ledger)
      @ledger = ledger
      Ractor.make_shareable(self)
    end

    def call(item)
      LIST.first if item >= 10
      @ledger.note(item)
      item
    end
  end

  # Counts in runs, and reads in each run what a Ractor may not.
  class Summing
    LIST = [+"text"] # rubocop:disable Style/MutableConstant

    def initialize(limit)
      @limit = limit
      Ractor.make_shareable(self)
    end

    def initial = []

    def call(item)
      LIST.first if item >= @limit
      [item]
    end

    def merge(sum, other) = sum + other
  end

  # A callable with a table that cannot be shared.
  class Unshareable
    def initialize
      @seen = []
      @lock = Thread::Mutex.new
    end

    def call(item)
      @lock.synchronize { @seen << item }
      item + 1
    end
  end

  # Has items in runs.
  module InRuns
    LIST = [+"text"] # rubocop:disable Style/MutableConstant

    def self.call(item) = LIST.first && item
    def self.call_many(items) = LIST.first && items
  end

  def self.outside?
    !Ratomic::RACTORS || Ractor.main?
  end

  def setup
    skip_without_ractors
    skip_on_development_ruby("a child that was forked beside Ractors ends in a collection") if fallback == :process
    @pool = new_pool
  end

  def teardown
    @pools&.each(&:kill)
  end

  def new_pool(min_batch: 0, **options)
    (@pools ||= []) << Workers::Pool.new(size: 2, fallback: fallback, min_batch: min_batch, **options)
    @pools.last
  end

  def value_of(items, callable, pool: @pool, **options)
    within(30) { pool.dispatch_async(items, callable, **options).value(timeout: 25) }
  end

  def doubles(items)
    items.map { |item| item * 2 }
  end

  def fallbacks(pool = @pool)
    pool.stats[:fallbacks]
  end

  def test_what_fails_in_a_ractor_is_run_again_outside_and_the_rest_stays
    results = value_of([1, 10, 2, 11, 12, 3], Picky)
    assert_equal [1, 10, 2, 11, 12, 3], results.map(&:first)
    assert_equal [2, 20, 4, 22, 24, 6], (results.map { |result| result[1] })
    assert_equal [false, true, false, true, true, false], results.map(&:last)
    assert Ractor.shareable?(results)
    assert_equal [3, 0], fallbacks.values_at(:items, :dispatches)
    assert_empty @pool.stats[:failures]
  end

  def test_the_callable_is_remembered
    value_of([10], Picky)
    assert_equal([true, true], value_of([1, 2], Picky).map(&:last))
    assert_equal [1, 1], fallbacks.values_at(:items, :dispatches)
    assert_equal [fallback, 2], fallbacks.values_at(:backend, :workers)
    assert_equal ["FallbackContract::Picky"], fallbacks[:callables].keys
    assert_match(/\ARactor::IsolationError: /, fallbacks[:callables].values[0])
    assert_equal [2, 4], value_of([1, 2], Double)
    assert_equal 1, fallbacks[:dispatches]
  end

  def test_a_callable_is_remembered_by_its_name
    value_of([10], Picky, as: "orders")
    assert_equal([true], value_of([1], Picky, as: "orders").map(&:last))
    assert_equal([false], value_of([1], Picky, as: "others").map(&:last))
    assert_equal ["orders"], fallbacks[:callables].keys
  end

  def test_an_event_tells_of_each_callable_once
    events = Ratomic::Queue.new(1000)
    @pool.subscribe(events)
    5.times { value_of([10, 11, 1], Picky, context: "c") }
    2.times { value_of([1], Wrapped) }
    told = []
    within(10) { told << events.pop until told.count { |event| event.name == :completed } == 7 }
    told = told.select { |event| event.name == :fallback }
    assert_equal ["FallbackContract::Picky", "FallbackContract::Wrapped"], (told.map { |event| event[:callable] })
    assert_equal [fallback, "c", 1], [told[0][:backend], told[0].context, told[0].dispatch.clamp(1, 1)]
    assert_equal "Ractor::IsolationError", told[0][:failure].exception_class
    assert_match(/Ractor::IsolationError/, told[0][:reason])
  end

  def test_the_cause_of_an_exception_counts_too
    assert_equal [1, 2], value_of([1, 2], Wrapped)
  end

  def test_what_fails_outside_as_well_is_a_failure
    results = value_of([1, 2], Faulty)
    assert_equal %w[KeyError KeyError], results.map(&:exception_class)
    assert_equal [0, 1], results.map(&:index)
    assert_equal({ "KeyError" => 2 }, @pool.stats[:failures])
  end

  def test_items_that_misbehave_outside_are_failures_in_their_places
    value_of([10], Picky)
    results = value_of([1, :raise_error, :end_thread, :throw_tag, :leave_program, 2], Picky)
    assert_equal [1, 2], [results[0][0], results[5][0]]
    assert_equal %w[KeyError ThreadError UncaughtThrowError SystemExit], results[1..4].map(&:exception_class)
    assert_equal [1, 2, 3, 4], results[1..4].map(&:index)
  end

  def test_other_failures_are_left_alone
    results = value_of([1, :raise_error, :end_thread], Picky)
    assert_equal [KeyError, ThreadError].map(&:name), results[1..].map(&:exception_class)
    assert_equal [0, 0, 0], fallbacks.values_at(:items, :dispatches, :workers)
  end

  def test_callables_and_blocks_that_cannot_be_shared
    assert_equal [2, 3], value_of([1, 2], callable = Unshareable.new)
    assert_equal [4], value_of([3], callable)
    offset = Object.new.then { |object| [object, 5] }
    results = within(30) { @pool.dispatch_async([1, 2]) { |item| item + offset[1] }.value(timeout: 25) }
    assert_equal [6, 7], results
    assert_equal [0, 3], fallbacks.values_at(:items, :dispatches)
    assert_equal 2, fallbacks[:callables].size
    assert_raises(Workers::CallableError) { @pool.dispatch_async([1], Object.new) }
  end

  def test_another_ractor_is_refused_what_is_its_own
    pool = @pool.start
    error = assert_raises(Workers::CallableError) do
      in_ractor(pool) do |there|
        Thread.current.report_on_exception = false
        there.dispatch_async([1], Unshareable.new)
      end
    end
    assert_match(/is not shareable/, error.message)
    assert_equal [[10, 20, true]], in_ractor(pool) { |there| there.dispatch_async([10], Picky).value(timeout: 20) }
    assert_equal [[1, 2, true]], in_ractor(pool) { |there| there.dispatch_async([1], Picky).value(timeout: 20) }
  end

  def test_callers_in_another_ractor_run_nothing_that_would_fail_there
    pool = new_pool(min_batch: :auto).start
    results = in_ractor(pool) do |there|
      Array.new(60) { |turn| there.dispatch_async([turn < 50 ? 1 : 10], Picky).value(timeout: 20)[0] }
    end
    assert_equal([1, 10], results.map(&:first).uniq)
    assert(results.none?(Failure))
  end

  def test_a_pool_with_a_fallback_starts_in_the_main_ractor
    error = assert_raises(NotImplementedError) do
      in_ractor(new_pool) do |pool|
        Thread.current.report_on_exception = false
        pool.start
      end
    end
    assert_match(/start the pool .* in the main Ractor/, error.message)
  end

  def test_a_dispatch_of_many_items
    items = Array.new(2_000) { |index| index % 7 == 3 ? 10 + index : index % 10 }
    results = value_of(items, Picky)
    assert_equal items, results.map(&:first)
    assert_equal doubles(items), (results.map { |result| result[1] })
  end

  def test_results_come_as_they_are_ready
    future = @pool.dispatch_async([1, 10, 2, 11], Picky)
    assert_equal [1, 10, 2, 11], within(20) { future.each(timeout: 15).map(&:first) }
    future = new_pool.dispatch_async([1, 10, 2, 11], Picky)
    seen = within(20) { future.each_completed(timeout: 15).to_a }
    assert_equal([[1, 0], [10, 1], [2, 2], [11, 3]], seen.map { |result, index| [result[0], index] }.sort_by(&:last))
    refute_predicate future, :failed?
    assert_equal "4 of 4", future.progress.to_s[0, 6]
  end

  def test_sums_are_merged_in_the_order_of_the_items
    items = (0...500).to_a
    2.times do
      reduction = within(30) { @pool.reduce(items, Summing.new(250)) }
      assert_equal [items, 500, 0], [reduction.sum, reduction.count, reduction.failed]
    end
    reduction = within(30) { new_pool.reduce(items, Summing.new(0), max_failures: 0) }
    assert_equal [items, 500, 0], [reduction.sum, reduction.count, reduction.failed]
  end

  def test_the_block_of_a_reduction_may_use_what_cannot_be_shared
    known = Object.new.then { |object| { object => 1 } }
    sum = within(30) do
      @pool.reduce([1, 2, 3], Double, initial: 0, merge: ->(a, b) { a + b }) { |all, one| all + one + known.size - 1 }
    end.sum
    assert_equal 12, sum
  end

  def test_runs_and_pipelines
    assert_equal [1, 2, 3], value_of([1, 2, 3], InRuns)
    pipeline = Workers.pipeline(Double, Picky)
    assert_equal [[2, 4], [20, 40], [22, 44]], (value_of([1, 10, 11], pipeline).map { |result| result.first(2) })
    assert_equal [[2, 4], [20, 40]], (value_of([1, 10], pipeline).map { |result| result.first(2) })
  end

  def test_an_item_of_a_sequential_dispatch_waits_for_those_before_it
    ProcessLedger.within do |ledger|
      value_of([1, 10, 2, 11, 3], Noting.new(ledger), sequential: true)
      assert_equal %w[1 10 2 11 3], ledger.words
    end
  end

  def test_a_stream_keeps_the_order_of_each_key
    ProcessLedger.within do |ledger|
      items = Array.new(120) { |index| index % 5 == 4 ? 1000 + index : index % 3 }.each_with_index.to_a
      noting = Noting.new(ledger)
      stream = @pool.stream(items.map { |item, index| item >= 10 ? item : item - 1000 + index }, noting,
                            key: ->(item) { item % 4 }, max_in_flight: 50)
      results = within(60) { stream.to_a }
      assert_equal 120, results.size
      assert(results.none?(Failure))
      done = ledger.words.map(&:to_i)
      assert_equal results.group_by { |item| item % 4 }, (done.group_by { |item| item % 4 })
    end
  end

  def test_owned_results_are_the_callers_own
    items = Array.new(300) { |index| index % 5 == 4 ? 10 + index : index % 10 }
    2.times do
      results = value_of(items, Picky, results: :owned)
      assert_equal doubles(items), (results.map { |result| result[1] })
      assert(results.none?(&:frozen?))
    end
  end

  # Nobody else has it, and what the first run has made of it is not known.
  def test_a_moved_item_is_not_run_again_but_later_ones_are_outside
    failure = value_of([+"a"], MoveFailing, move: true)[0]
    assert_equal "Ractor::IsolationError", failure.exception_class
    assert_equal ["ab"], value_of([+"a"], MoveFailing, move: true)
    assert_equal [0, 1], fallbacks.values_at(:items, :dispatches)
  end

  # Changes its item.
  module MoveFailing
    LIST = [+"b"] # rubocop:disable Style/MutableConstant

    def self.call(item) = item << LIST.first
  end

  def test_the_time_of_an_item_and_of_a_dispatch
    overdue = value_of([0, 30, 0], Sleepy, item_timeout: Waiting::ITEM_TIMEOUT_S)
    assert_equal [0, Workers::ItemTimeoutError.name, 0], overdue.map { |result| name_of(result) }
    late = value_of([0, 30], Sleepy, timeout: 0.5)
    assert_equal Workers::DispatchTimeoutError.name, name_of(late[1])
    assert_equal [0], value_of([0], Sleepy) # the interrupted ones hold nobody up
    pool = new_pool # where it is not remembered
    late = value_of([0, 30], Sleepy, timeout: 0.5, pool: pool)
    assert_equal Workers::DispatchTimeoutError.name, name_of(late[1])
    assert_equal [0], value_of([0], Sleepy, pool: pool)
  end

  def name_of(result)
    Failure === result ? result.exception_class : result
  end

  def test_a_cancelled_dispatch_is_over_and_its_items_are_interrupted
    [false, true].each do |known|
      pool = new_pool
      value_of([0], Sleepy, pool: pool) if known
      future = pool.dispatch_async([60, 60, 60], Sleepy)
      eventually { (known || fallbacks(pool)[:items] == 3) && fallbacks(pool)[:workers] == 2 }
      assert future.cancel(interrupt: true)
      assert(future.value(timeout: 5).all? { |result| name_of(result) == Workers::CancelledError.name })
      assert_equal [0], value_of([0], Sleepy, pool: pool)
      assert within(20) { pool.shutdown(timeout: 15) }
    end
  end

  def test_the_context_and_what_is_around_an_item_are_there
    assert_equal [["tenant", 10]], value_of([10], Telling, context: "tenant", around: Around)
    assert_equal [["tenant", 10]], value_of([10], Telling, context: "tenant", around: Around)
  end

  # Says in which context it runs.
  module Telling
    LIST = [+"text"] # rubocop:disable Style/MutableConstant

    def self.call(item) = LIST.first && [Ratomic::Workers.context, item]
  end

  # Around each item.
  module Around
    def self.call(_item) = yield
  end

  def test_an_item_may_dispatch_to_its_own_pool
    outer = Nesting.new(@pool)
    2.times { assert_equal [20, 22, 24, 26], value_of([10, 11, 12, 13], outer) }
  end

  # Dispatches what falls back, inside and outside of Ractors.
  class Nesting
    def initialize(pool)
      @pool = pool
      Ractor.make_shareable(self)
    end

    def call(item)
      @pool.dispatch_async([item], Picky).value(timeout: 15)[0][1].tap { Picky::TABLE.size }
    end
  end

  def test_a_waiting_thread_may_run_a_small_dispatch
    value_of([10], Picky)
    20.times { value_of([1], Picky, min_batch: :auto, run: :waiter) }
    assert_equal([true], value_of([10], Picky, min_batch: :auto, run: :waiter).map(&:last))
  end

  def test_explain_names_the_fallback
    explained = @pool.explain([10], Picky)
    assert_equal [fallback, false], explained.to_h[:fallback].values_at(:backend, :used)
    assert_match(/^fallback: #{fallback}: what fails because it runs in a Ractor is run again in /, explained.to_s)
    explained = @pool.explain([10], Picky, try: 10)
    assert_equal [true, :returned], [explained.to_h[:fallback][:used], explained.to_h[:try][:outcome]]
    assert_match(/^fallback: #{fallback}, used: Ractor::IsolationError: /, explained.to_s)
    assert(@pool.stats[:notes].any? { |note| note.start_with?("FallbackContract::Picky runs in ") })
    assert_match(/^ratomic_workers_fallback_items_total\{.*\} 1$/, @pool.to_prometheus)
  end

  def test_the_pool_is_shown_once
    value_of([10], Picky)
    assert_equal 1, Workers.to_prometheus.scan(/^ratomic_workers_workers\{pool="#{@pool.name}"/).size
    assert_equal(1, Workers::Snapshot.new(Workers::History.new).to_h[:pools].count { |pool| pool[:name] == @pool.name })
  end

  def test_the_fallback_ends_with_the_pool_and_leaves_nothing
    assert_leaves_nothing(20) do
      pool = new_pool
      futures = Array.new(20) { pool.dispatch_async([1, 10, 11, 2], Picky) }
      assert within(30) { pool.shutdown(timeout: 25) }
      assert(futures.all? { |future| future.value(timeout: 0).none?(Failure) })
      assert_raises(Workers::ShutdownError) { pool.dispatch_async([1], Picky) }
    end
  end

  def test_killing_a_pool_ends_all_waits
    assert_leaves_nothing(20) do
      pool = new_pool
      value_of([0], Sleepy, pool: pool)
      futures = Array.new(8) { pool.dispatch_async([30, 30], Sleepy) }
      eventually { pool.stats[:items][:in_flight] == 16 }
      within(15) { pool.kill }
      futures.each do |future|
        assert_equal [Workers::ShutdownError.name] * 2, future.value(timeout: 5).map(&:exception_class)
      end
    end
  end

  def test_a_shutdown_waits_for_what_is_run_again
    pool = new_pool
    future = pool.dispatch_async([0.3], Sleepy)
    eventually { fallbacks(pool)[:items] == 1 }
    assert within(20) { pool.shutdown(timeout: 15) }
    assert_equal [0.3], future.value(timeout: 0)
  end

  def test_a_forked_child_has_a_pool_of_its_own
    skip_on_development_ruby("a child that was forked beside Ractors ends in a collection")
    out = ruby!(<<~RUBY, fallback.to_s, seconds: 60)
      require "ratomic"
      module Picky
        LIST = [+"text"]
        def self.call(item) = LIST.first && item * 2
      end
      pool = Ratomic::Workers::Pool.new(size: 2, fallback: ARGV[0].to_sym, min_batch: 0)
      p pool.dispatch_async([1, 2], Picky).value(timeout: 10)
      held = pool.dispatch_async([1], Class.new { def self.call(_) = sleep })
      child = fork do
        p held.value(timeout: 5).map(&:exception_class)
        p pool.dispatch_async([3, 4], Picky).value(timeout: 10)
        p pool.stats[:fallbacks][:items]
      end
      Process.wait(child)
      p $?.success?
      p pool.dispatch_async([5], Picky).value(timeout: 10)
    RUBY
    expected = ["[2, 4]", "[\"Ratomic::Workers::ShutdownError\"]", "[6, 8]", "2", "true", "[10]"]
    assert_equal expected, out.lines(chomp: true)
  end

  def test_a_program_that_ends_does_not_hang
    out = ruby!(<<~RUBY, fallback.to_s, seconds: 30)
      require "ratomic"
      module Sleepy
        LIST = [+"text"]
        def self.call(item) = LIST.first && sleep(item)
      end
      pool = Ratomic::Workers::Pool.new(size: 2, fallback: ARGV[0].to_sym, min_batch: 0)
      pool.dispatch_async([60, 60], Sleepy)
      sleep 0.01 until pool.stats[:fallbacks][:workers] == 2
      puts :done
    RUBY
    assert_equal "done\n", out
  end
end
