# frozen_string_literal: true

require "test_helper"
require "support/backend_contract"
require "support/per_worker_contract"
require "support/process_ledger"
require "support/unmade_results_contract"

class ProcessesTest < Minitest::Test
  include BackendContract
  include PerWorkerContract
  include UnmadeResultsContract

  # What of the contracts looks into memory that it shares with its items is said again here, with files. Memory is not
  # shared, and objects of Ractors are not in another process: of these two there is nothing to say.
  undef_method :test_what_the_program_goes_on_using_is_not_frozen
  undef_method :test_what_was_moved_away_is_a_failure_that_says_so_wherever_it_stands

  def setup
    skip_without_fork
    super
  end

  def teardown
    @pool&.kill
  end

  def backend
    :process
  end

  # Waits in its first item, and says so.
  class HoldInFile < UnmadeResultsContract::CountDigits
    def initialize(ledger)
      @ledger = ledger
      super()
    end

    def call(item)
      @ledger.hold
      item
    end

    def call_many(items)
      items.map { |item| call(item) }
    end
  end

  # Doubles in runs, and notes its calls.
  class RunsInFile
    def initialize(ledger)
      @ledger = ledger
    end

    def call(item)
      @ledger.note(:call)
      double(item)
    end

    def call_many(items)
      @ledger.note("run of #{items.size}")
      items.map { |item| double(item) }
    end

    private

    def double(item)
      item.is_a?(Symbol) ? WorkerCallables::Misbehave.call(item) : item * 2
    end
  end

  # Each interrupted item costs a process, and to fork one takes a part of the time.
  def test_what_is_done_keeps_its_result_also_beside_an_item_that_computes
    computing = Class.new { def call(item) = item == :loop ? loop { item.to_s } : item }.new.freeze
    results = value_of([*1..20, :loop], computing, timeout: 2, sequential: true)
    assert_equal [*1..20], results.first(20)
    assert_failure results[20], "Ratomic::Workers::DispatchTimeoutError", 20
    assert_good_as_new
  end

  def test_what_is_done_when_the_time_is_up_keeps_its_result
    results = value_of(([0] * 20) + [30], Sleep, timeout: 2, sequential: true)
    assert_equal [0] * 20, results.first(20)
    assert_equal({ "Ratomic::Workers::DispatchTimeoutError" => 1 }, @pool.stats[:failures])
    assert_good_as_new
  end

  def test_an_error_that_comes_behind_its_item_costs_no_worker
    pool = Ratomic::Workers::Pool.new(size: 1, backend: backend, min_batch: 0)
    3.times do
      assert_equal [:item], pool.dispatch_async([:item], RaiseLater).value(timeout: 5)
      assert_equal [2, 4], pool.dispatch_async([1, 2], Double).value(timeout: 5)
    end
  ensure
    pool&.kill
  end

  def test_an_item_that_ends_its_thread_is_run_again_with_retries
    { 2 => 3, 1 => 2 }.each do |retries, attempts|
      ProcessLedger.within do |ledger|
        twice = ->(item) { item == 3 && ledger.note(:n) < 3 ? Thread.exit : item }
        results = value_of([1, 2, 3, 4], twice, retries: retries)
        retries == 2 ? assert_equal([1, 2, 3, 4], results) : assert_failure(results[2], "ThreadError", 2)
        assert_equal attempts, ledger.count(:n)
      end
    end
  end

  def test_an_item_that_raises_is_not_run_again_with_retries
    ProcessLedger.within do |ledger|
      raising = ->(item) { item == 2 && ledger.note(:n) ? raise(KeyError) : item }
      assert_failure value_of([1, 2, 3], raising, retries: 3)[1], "KeyError", 1
      assert_equal 1, ledger.count(:n)
    end
  end

  def test_each_item_has_its_own_retries
    %i[end_thread end_worker].product([false, true]) do |what, sequential|
      ProcessLedger.within do |ledger|
        once = ->(item) { ledger.note(item) == 1 && item != 2 ? WorkerCallables::Misbehave.call(what) : item }
        assert_equal [1, 2, 3], value_of([1, 2, 3], once, retries: 1, sequential: sequential), what
        assert_equal [2, 1, 2], [1, 2, 3].map { |item| ledger.count(item) }
      end
    end
  end

  def test_a_sequential_dispatch_keeps_the_order_also_when_an_item_ends_its_thread
    ProcessLedger.within do |ledger|
      writer = ->(item) { ledger.note(item) && item == 20 ? Thread.exit : item }
      results = value_of((0...100).to_a, writer, sequential: true)
      assert_equal (0...100).map(&:to_s), ledger.words
      assert_failure results[20], "ThreadError", 20
    end
  end

  def test_what_is_dropped_before_a_cancellation_stays_dropped
    ProcessLedger.within do |ledger|
      drops = ->(item) { item < 4 ? DROPPED : ledger.hold }
      future = @pool.dispatch_async((0...20).to_a, drops)
      # As in the contract: a slow machine may cut the first chunk, and both workers be held before the rest of it.
      eventually { ledger.count(:begun).positive? && future.dropped.positive? }
      assert_equal future.dropped, @pool.stats[:items][:dropped]
      assert future.cancel
      left = future.indices(timeout: 5)
      assert_equal (4...20).to_a, left.last(16)
      assert_includes 0..3, left.size - 16
      assert_equal ["Ratomic::Workers::CancelledError"], future.value(timeout: 5).map(&:exception_class).uniq
    ensure
      ledger.open
    end
  end

  def test_a_callable_with_call_many_gets_chunks_and_call_is_not_called
    ProcessLedger.within do |ledger|
      assert_equal (0...500).map { |n| n * 2 }, value_of((0...500).to_a, RunsInFile.new(ledger))
      sizes = ledger.words.map { |word| word[/\Arun of (\d+)\z/, 1].to_i }
      assert_equal 500, sizes.sum
      assert_operator sizes.max, :>, 1
    end
  end

  def test_a_run_that_raises_is_run_again_one_by_one
    ProcessLedger.within do |ledger|
      items = Array.new(40) { |i| i == 27 ? :raise_error : i }
      results = value_of(items, RunsInFile.new(ledger))
      assert_failure results[27], "KeyError", 27
      assert_equal (0...40).to_a - [27], (results - [results[27]]).map { |n| n / 2 }
      assert_operator ledger.count(:call), :>, 0
    end
  end

  def test_where_each_item_has_its_time_they_are_run_one_by_one
    ProcessLedger.within do |ledger|
      assert_equal [2, 4, 6], value_of([1, 2, 3], RunsInFile.new(ledger), item_timeout: 10)
      assert_equal %w[call] * 3, ledger.words
    end
  end

  def test_a_run_is_cancelled_and_interrupted_as_an_item_is
    ProcessLedger.within do |ledger|
      future = @pool.dispatch_async((0...50).to_a, HoldInFile.new(ledger))
      eventually { ledger.count(:begun).positive? }
      assert future.cancel(interrupt: true)
      assert_equal ["Ratomic::Workers::CancelledError"], future.value(timeout: 5).map(&:exception_class).uniq
    ensure
      ledger.open
    end
    assert_good_as_new
  end

  def test_a_reduction_is_awaited_cancelled_and_looked_at
    ProcessLedger.within do |ledger|
      reducing = @pool.reduce_async([1] * 10, HoldInFile.new(ledger), initial: 0) { |sum, n| sum + n }
      eventually { ledger.count(:begun).positive? }
      refute reducing.wait(timeout: 0.01)
      assert_raises(Workers::WaitTimeoutError) { reducing.value(timeout: 0) }
      assert reducing.cancel(interrupt: true)
      reduction = reducing.value(timeout: 5)
      assert_equal [0, 10, (0...10).to_a], [reduction.sum, reduction.failed, reduction.failures.map(&:index)]
    ensure
      ledger.open
    end
  end

  def test_a_thread_that_is_ended_while_it_waits_for_a_sum_cancels_the_reduction
    ProcessLedger.within do |ledger|
      thread = Thread.new { @pool.reduce([1] * 10, HoldInFile.new(ledger)) }
      eventually { ledger.count(:begun).positive? }
      thread.kill.join
      eventually { @pool.stats[:dispatches][:cancelled] == 1 }
    ensure
      ledger.open
    end
  end

  def test_items_run_in_as_many_processes_as_there_are_workers_and_these_are_kept
    pids = Array.new(5) { value_of([0.005] * 20, ->(seconds) { sleep(seconds) && Process.pid }) }.flatten.uniq
    refute_includes pids, Process.pid
    before = value_of([1] * 20, Where)
    assert_operator (before + value_of([2] * 20, Where)).uniq.size, :<=, 2
    assert_operator pids.size, :<=, 10 # a proc that is younger than its processes has new ones
  end

  # Says which process runs it.
  module Where
    def self.call(_item)
      Process.pid
    end
  end
end
