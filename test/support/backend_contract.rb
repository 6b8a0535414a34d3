# frozen_string_literal: true

require "support/worker_callables"

# The contract of Ratomic::Workers for all backends. The including test defines `backend`, the name of one.
module BackendContract
  include WorkerCallables

  Failure = Ratomic::Workers::Failure

  def setup
    @pool = Ratomic::Workers::Pool.new(size: 2, backend: backend, min_batch: 0)
  end

  def teardown
    @pool.kill
  end

  def value_of(items, callable, **options)
    within(70) { @pool.dispatch_async(items, callable, **options).value(timeout: 60) }
  end

  def assert_failure(result, exception_class, index)
    assert_instance_of Failure, result
    assert_equal exception_class, result.exception_class
    assert_equal index, result.index
    assert_predicate result, :frozen?
    assert Ractor.shareable?(result)
    refute_empty result.message
  end

  def assert_good_as_new
    assert_equal [2, 4, 6, 8], value_of([1, 2, 3, 4], Double)
    eventually { @pool.stats[:workers][:alive] == 2 } unless backend == :inline
  end

  def test_results_come_in_the_order_of_the_items
    assert_equal (0...1000).map { |i| i * 2 }, value_of((0...1000).to_a, Double)
  end

  def test_no_items_are_done_at_once
    future = @pool.dispatch_async([], Double)
    assert_predicate future, :ready?
    assert_equal [], future.value(timeout: 0)
    assert_equal [0, 0], future.progress.to_a
  end

  def test_a_range_and_a_lazy_enumerator_are_items_too
    assert_equal [2, 4, 6], value_of(1..3, Double)
    assert_equal [4, 8], value_of((1..4).lazy.select(&:even?), Double)
  end

  def test_items_that_are_not_enumerable_are_refused
    error = assert_raises(TypeError) { @pool.dispatch_async(7, Double) }
    assert_match(/not Integer/, error.message)
  end

  def test_results_are_frozen_all_the_way
    result = value_of([:mutable], Make)
    assert_equal [["text", { key: "value" }]], result
    assert Ractor.shareable?(result)
  end

  def test_an_item_that_raises_is_a_failure_in_its_place
    one, failure, three = value_of([1, :raise_error, 3], Misbehave)
    assert_equal [1, 3], [one, three]
    assert_failure failure, "KeyError", 1
    assert_equal "no such key", failure.message
    assert_match(/raise_error/, failure.backtrace.first)
    assert_equal "ArgumentError", failure.cause.exception_class
    assert failure.failure?
  end

  {
    raise_exception: "WorkerCallables::Misbehave::Deep", overflow_stack: "SystemStackError",
    run_out_of_memory: "NoMemoryError", leave_program: "SystemExit", throw_tag: "UncaughtThrowError",
    end_thread: "ThreadError", end_worker: "ThreadError", interrupt: "Interrupt", raise_at_its_thread: "IOError",
    run_out_of_time: "KeyError", raise_while_read: "WorkerCallables::Misbehave::Unreadable",
    exit_while_read: "WorkerCallables::Misbehave::Unreadable", nest_too_deeply: "Ratomic::ShareableError"
  }.each do |what, exception_class|
    define_method("test_#{what}_is_a_failure_and_its_neighbours_have_results") do
      items = Array.new(40) { |i| i == 17 ? what : i }
      results = value_of(items, Misbehave)
      assert_failure results[17], exception_class, 17
      assert_equal items - [what], results - [results[17]]
      assert_good_as_new
    end
  end

  def test_a_message_that_cannot_be_read_does_no_harm
    failure = value_of([:unwritable_message], Misbehave)[0]
    assert_match(/cannot be read/, failure.message)
  end

  {
    raise_error: "Ratomic::ShareableError", raise_exception: "Ratomic::ShareableError", end_thread: "ThreadError",
    leave_program: "Ratomic::ShareableError", throw_tag: "Ratomic::ShareableError"
  }.each do |what, exception_class|
    define_method("test_results_whose_freeze_does_#{what}_are_failures_and_their_neighbours_are_not") do
      [{}, { item_timeout: 30 }].each do |options|
        results = value_of([1, [what], 3, [what], 5], Make, **options)
        [1, 3].each { |index| assert_failure(results[index], exception_class, index) }
        assert_equal [1, 3, 5], results.values_at(0, 2, 4)
      end
      assert_good_as_new
    end
  end

  def test_a_result_that_takes_too_long_to_freeze_is_a_failure_on_time
    results = value_of([1, [:sleep], 3], Make, item_timeout: Waiting::ITEM_TIMEOUT_S)
    assert_failure results[1], "Ratomic::Workers::ItemTimeoutError", 1
    assert_equal [1, 3], results.values_at(0, 2)
    assert_equal ["Ratomic::Workers::DispatchTimeoutError"] * 2,
                 value_of([[:sleep], [:sleep]], Make, timeout: 0.2).map(&:exception_class)
    assert_good_as_new
  end

  def test_every_item_may_end_its_thread
    results = value_of([:end_thread] * 30, Misbehave)
    results.each_with_index { |result, index| assert_failure(result, "ThreadError", index) }
    assert_good_as_new
  end

  def test_an_error_that_comes_behind_its_item_costs_no_worker
    pool = Ratomic::Workers::Pool.new(size: 1, backend: backend, min_batch: 0)
    3.times do |before|
      assert_equal [:item], pool.dispatch_async([:item], RaiseLater).value(timeout: 5)
      eventually { pool.stats[:workers][:runners_replaced] > before } unless backend == :inline
      assert_equal [2, 4], pool.dispatch_async([1, 2], Double).value(timeout: 5)
    end
  ensure
    pool.kill
  end

  def test_objects_without_any_methods_do_no_harm
    results = value_of([1, Bare.new, 3], Double)
    assert_equal [2, 6], results.values_at(0, 2)
    assert_failure(results[1], "Ratomic::ShareableError", 1)
    results = value_of([1, 2], MakeBare)
    2.times { |index| assert_failure(results[index], "Ratomic::ShareableError", index) }
    assert_match(/the result \(WorkerCallables::Bare\)/, results[0].message)
    assert_good_as_new
  end

  def test_results_that_cannot_be_shared_are_failures_that_say_so
    results = value_of([1, :io, :thread, :nested_mutex, 5], Make)
    assert_equal [1, 5], results.values_at(0, 4)
    (1..3).each { |index| assert_failure(results[index], "Ratomic::ShareableError", index) }
    assert_match(/\(IO\) cannot be made shareable/, results[1].message)
    assert_match(/\[:list\]\[1\].*Mutex/, results[3].message)
    refute_predicate $stdout, :frozen?
  end

  def test_what_was_moved_away_is_a_failure_that_says_so_wherever_it_stands
    skip_without_ractors
    [-> { +"text" }, -> { [] }, -> { Object.new }].each do |make|
      lender = Ratomic::Pool.new(size: 2, &make)
      ways = %i[itself array hash object]
      results = value_of([1, *ways, 5], Lend.new(lender))
      assert_equal [1, 5], results.values_at(0, 5)
      ways.each.with_index(1) do |way, index|
        assert_failure results[index], "Ratomic::ShareableError", index
        assert_match(/was moved to another owner/, results[index].message, way)
      end
      moved = lender.with { |object| object }
      results = value_of([1, moved, [moved].freeze, { a: moved }, 5], Double)
      assert_equal [2, 10], results.values_at(0, 4)
      (1..3).each { |index| assert_match(/was moved to another owner/, results[index].message) }
    ensure
      lender&.close
    end
  end

  # What items keep between them: where the program shares its memory with them, it is the program's.
  class Memo
    def initialize
      freeze
    end

    def call(item)
      kept = Thread.main[:ratomic_test_memo]
      kept[:list] << [item, "item"] << item.to_s
      item.even? ? kept[:sets] : kept
    end
  end

  def test_what_the_program_goes_on_using_is_not_frozen
    # A Ractor has memory of its own, where what is returned is frozen where it stands.
    return if @pool.instance_variable_get(:@settings).backend == :ractor

    kept = Thread.main[:ratomic_test_memo] = { list: [+"a"], sets: [Set[+"x", [1]], Struct.new(:a).new([+"y"])] }
    [{}, { item_timeout: 20 }, { timeout: 20 }, { min_batch: 0, sequential: true }].each do |options|
      results = value_of([1, 2, 3], Memo.new, **options)
      assert Ractor.shareable?(results)
      assert_equal [Hash, Array, Hash], results.map(&:class), results.inspect
      assert_equal kept[:sets].to_s, results[1].to_s
    end
    assert_equal 1 + (4 * 3 * 2), kept[:list].size
    refute [kept, kept[:list], kept[:list][1], kept[:sets], kept[:sets][0], kept[:sets][1].a].any?(&:frozen?)
  ensure
    Thread.main[:ratomic_test_memo] = nil
  end

  def test_a_mutable_item_crosses_as_a_frozen_copy_and_the_callers_own_stays
    text = +"text"
    nested = [+"a", { k: [text] }]
    seen = value_of([text, nested], inspector)
    assert_equal ["String true \"text\"", "Array true [\"a\", {k: [\"text\"]}]"], seen.map { |line|
                                                                                    line.sub(":k=>", "k: ")
                                                                                  }
    refute_predicate text, :frozen?
    refute_predicate nested[0], :frozen?
  end

  def test_items_that_are_handed_over_may_be_changed_and_are_gone_from_the_caller
    items = [+"a", :raise_error, +"b", :end_thread, +"c"]
    results = value_of(items, Append, move: true)
    assert_equal %w[a! b! c!], results.values_at(0, 2, 4)
    assert_failure results[1], "KeyError", 1
    assert_failure results[3], "ThreadError", 3
    assert_raises(Ractor::MovedError) { items[0].size } if Ratomic::RACTORS
    assert_good_as_new
  end

  def test_an_item_that_cannot_be_handed_over_is_a_failure
    File.open(__FILE__) do |file|
      results = value_of([+"a", { mutex: Mutex.new, file: file }], Append, move: true)
      assert_equal "a!", results[0]
      assert_instance_of Failure, results[1] if Ratomic::RACTORS
    end
    assert_good_as_new
  end

  def test_an_item_that_can_be_neither_shared_nor_copied_is_a_failure
    File.open(__FILE__) do |file|
      results = value_of([1, { file: file }, Thread.current, 4], Double)
      assert_equal [2, 8], results.values_at(0, 3)
      assert_failure results[1], "Ratomic::ShareableError", 1
      assert_match(/\[:file\]/, results[1].message)
      assert_failure results[2], "Ratomic::ShareableError", 2
      refute_predicate file, :frozen?
    end
    assert_good_as_new
  end

  def test_what_cannot_be_called_is_refused
    error = assert_raises(Ratomic::Workers::CallableError) { @pool.dispatch_async([1], "text") }
    assert_match(/has no method `call`/, error.message)
  end

  def test_value_bang_raises_the_first_failure
    error = assert_raises(Ratomic::Workers::ItemError) do
      within(10) { @pool.dispatch_async([1, :raise_error], Misbehave).value! }
    end
    assert_equal "item 1: KeyError: no such key", error.message
    assert_equal 1, error.failure.index
  end

  def test_each_yields_in_order_and_each_completed_yields_all
    future = @pool.dispatch_async((0...200).to_a, Double)
    within(10) do
      assert_equal (0...200).map { |i| i * 2 }, future.each.to_a
      pairs = future.each_completed.to_a
      assert_equal((0...200).to_h { |i| [i, i * 2] }, pairs.to_h { |result, index| [index, result] })
      assert_equal 200, pairs.size
    end
  end

  def test_the_context_is_there_in_the_worker_and_gone_afterwards
    reader = Class.new { def call(_item) = Ratomic::Workers.context }.new.freeze
    reader = Ractor.make_shareable(reader)
    assert_equal [{ trace: "abc" }] * 3,
                 value_of([1, 2, 3], reader, context: { trace: "abc" }.freeze.each_value(&:freeze))
    assert_equal [nil], value_of([1], reader)
    assert_nil Ratomic::Workers.context
  end

  def test_a_context_that_is_not_shareable_is_refused
    assert_raises(Ratomic::ShareableError) { @pool.dispatch_async([1], Double, context: [+"mutable"]) }
  end

  def test_an_item_that_sleeps_too_long_is_interrupted
    started = now
    results = value_of([0, 30, 0], Sleep, item_timeout: Waiting::ITEM_TIMEOUT_S)
    assert_operator now - started, :<, 3 * Waiting::PATIENCE
    assert_equal [0, 0], results.values_at(0, 2)
    assert_failure results[1], "Ratomic::Workers::ItemTimeoutError", 1
    assert_match(/longer than #{Waiting::ITEM_TIMEOUT_S} s/, results[1].message)
    assert_good_as_new
  end

  def test_an_endless_loop_is_interrupted
    endless = Class.new { def call(item) = item == :loop ? loop { item.to_s } : item }.new.freeze
    results = value_of([1, :loop, 3, :loop, 5], endless, item_timeout: Waiting::ITEM_TIMEOUT_S)
    assert_equal [1, 3, 5], results.values_at(0, 2, 4)
    [1, 3].each { |index| assert_failure(results[index], "Ratomic::Workers::ItemTimeoutError", index) }
    assert_good_as_new
  end

  def test_the_time_of_a_dispatch_is_bounded
    started = now
    results = value_of([0, 30, 30, 30], Sleep, timeout: 0.3, sequential: true)
    assert_operator now - started, :<, 3
    assert_equal 4, results.size
    (1..3).each { |index| assert_failure(results[index], "Ratomic::Workers::DispatchTimeoutError", index) }
    assert_good_as_new
  end

  def test_what_is_done_when_the_time_is_up_keeps_its_result
    50.times { value_of([0] * 50, Sleep) } # known to be cheap: many in a chunk
    results = value_of(([0] * 20) + [30], Sleep, timeout: Waiting::DONE_IN_TIME_S)
    assert_equal [0] * 20, results.first(20)
    assert_failure results[20], "Ratomic::Workers::DispatchTimeoutError", 20
    assert_equal({ "Ratomic::Workers::DispatchTimeoutError" => 1 }, @pool.stats[:failures])
    assert_good_as_new
  end

  # For 100 ms no other thread of its Ractor would get a turn, if it were left to Ruby.
  def test_what_is_done_keeps_its_result_also_beside_an_item_that_computes
    computing = Class.new { def call(item) = item == :loop ? loop { item.to_s } : item }.new.freeze
    results = nil
    # On a busy machine the time may be up before the items have run, or a worker may not answer in time.
    [0.3, 0.3, 1, 3].each do |seconds|
      results = value_of([*1..20, :loop], computing, timeout: seconds, sequential: true)
      assert_failure results[20], "Ratomic::Workers::DispatchTimeoutError", 20
      break if results.first(20) == [*1..20]
    end
    assert_equal [*1..20], results.first(20)
    assert_good_as_new
  end

  def test_an_item_that_ends_its_thread_is_run_again_with_retries
    attempts = Ratomic::Map.new
    twice = Class.new do
      def initialize(attempts) = (@attempts = attempts) && freeze
      def call(item) = item == 3 && @attempts.increment(:n) < 3 ? Thread.exit : item
    end.new(attempts)
    assert_equal [1, 2, 3, 4], value_of([1, 2, 3, 4], twice, retries: 2)
    assert_equal 3, attempts[:n]
    attempts.clear
    assert_failure value_of([1, 2, 3, 4], twice, retries: 1)[2], "ThreadError", 2
    assert_equal 2, attempts[:n]
  end

  def test_an_item_that_raises_is_not_run_again_with_retries
    calls = Ratomic::Map.new
    raising = Class.new do
      def initialize(calls) = (@calls = calls) && freeze
      def call(item) = item == 2 && @calls.increment(:n) ? raise(KeyError) : item
    end.new(calls)
    assert_failure value_of([1, 2, 3], raising, retries: 3)[1], "KeyError", 1
    assert_equal 1, calls[:n]
  end

  def test_each_item_has_its_own_retries
    %i[end_thread end_worker].product([false, true]) do |what, sequential|
      calls = Ratomic::Map.new
      once = Class.new do
        def initialize(*how) = (@calls, @what = how) && freeze
        def call(item) = @calls.increment(item) == 1 && item != 2 ? WorkerCallables::Misbehave.call(@what) : item
      end.new(calls, what)
      assert_equal [1, 2, 3], value_of([1, 2, 3], once, retries: 1, sequential: sequential), what
      assert_equal [2, 2], calls.to_h.values_at(1, 3)
    end
  end

  def test_a_sequential_dispatch_keeps_the_order_also_when_an_item_ends_its_thread
    log = Ratomic::Map.new
    writer = Class.new do
      def initialize(log) = (@log = log) && freeze

      def call(item)
        @log.append(:order, item)
        item == 20 ? Thread.exit : item
      end
    end.new(log)
    results = value_of((0...100).to_a, writer, sequential: true)
    assert_equal (0...100).to_a, log[:order]
    assert_failure results[20], "ThreadError", 20
  end

  def test_shutdown_finishes_what_was_accepted_and_then_refuses
    futures = Array.new(20) { |n| @pool.dispatch_async([n] * 10, Double) }
    assert within(20) { @pool.shutdown(timeout: 15) }
    assert_predicate @pool, :shutdown?
    futures.each_with_index { |future, n| assert_equal [n * 2] * 10, future.value(timeout: 0) }
    error = assert_raises(Ratomic::Workers::ShutdownError) { @pool.dispatch_async([1], Double) }
    assert_match(/shut down/, error.message)
    assert_raises(Ratomic::Workers::ShutdownError) { @pool.dispatch_async([], Double) }
    assert @pool.shutdown(timeout: 0)
  end

  def test_a_pool_that_never_worked_shuts_down_too
    pool = Ratomic::Workers::Pool.new(size: 1, backend: backend)
    assert within(5) { pool.shutdown }
    assert_raises(Ratomic::Workers::ShutdownError) { pool.dispatch_async([1], Double) }
  end

  def test_unknown_and_wrong_options_are_refused
    assert_raises(ArgumentError) { @pool.dispatch_async([1], Double, speed: 3) }
    assert_raises(ArgumentError) { @pool.dispatch_async([1], Double, timeout: -1) }
    assert_raises(TypeError) { @pool.dispatch_async([1], Double, item_timeout: "1") }
    assert_raises(ArgumentError) { @pool.dispatch_async([1], Double, retries: -1) }
    assert_raises(ArgumentError) { @pool.dispatch_async([1], Double, on_full: :wait) }
  end

  def test_statistics_count_what_happened
    value_of([1, :raise_error, :raise_error, 4], Misbehave)
    value_of([1, 2], Double)
    stats = @pool.stats
    assert_equal({ accepted: 6, finished: 6, in_flight: 0, dropped: 0 }, stats[:items])
    assert_equal 2, stats[:dispatches][:made]
    assert_equal 2, stats[:dispatches][:completed]
    assert_equal({ "KeyError" => 2 }, stats[:failures])
    assert_equal 2, stats[:latency][:count]
    assert_equal 0, stats[:troubles][:count], stats[:troubles].to_s
    assert Ractor.shareable?(stats)
  end

  private

  def now
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end

  def inspector
    Class.new { def call(item) = "#{item.class} #{item.frozen?} #{item.inspect}" }.new.freeze
  end
end
