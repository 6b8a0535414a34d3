# frozen_string_literal: true

require "set"
require "stringio"
require "support/worker_callables"

# The contract of `results: :owned` for all backends. The including test defines `backend`, the name of one.
module OwnedContract
  include WorkerCallables

  Failure = Ratomic::Workers::Failure
  TakenError = Ratomic::Workers::TakenError

  # Makes what nobody else has. A Symbol misbehaves, an Array of one number sleeps so long.
  module MakeOwn
    Box = Struct.new(:lock, :number)

    def self.call(item)
      case item
      when Symbol then WorkerCallables::Misbehave.call(item)
      when Array then WorkerCallables::Sleep.call(item[0])
      else number(item)
      end
    end

    def self.number(item)
      case item % 5
      when 0 then [item]
      when 1 then StringIO.new(+"io")
      when 2 then Set[item]
      when 3 then Box.new(Thread::Mutex.new, item)
      else +"text"
      end
    end
  end

  # Returns fresh plain data.
  module Fresh
    def self.call(item)
      item.is_a?(Symbol) ? WorkerCallables::Misbehave.call(item) : { "item" => [item.to_s, item * 1.5] }
    end
  end

  # Keeps every third item. In runs, where it is asked so.
  module KeepThirds
    def self.call(item)
      (item % 3).zero? ? [item] : Ratomic::Workers::DROPPED
    end

    module InRuns
      def self.call(item) = KeepThirds.call(item)

      def self.call_many(items)
        items.map { |item| KeepThirds.call(item) }
      end
    end
  end

  def setup
    @pool = Ratomic::Workers::Pool.new(size: 2, backend: backend, min_batch: 0)
  end

  def teardown
    @pool&.kill
  end

  def assert_good_as_new
    assert_equal [2, 4, 6, 8], within(20) { @pool.dispatch_async([1, 2, 3, 4], Double).value(timeout: 15) }
    stats = @pool.stats
    eventually { @pool.stats[:workers][:alive] == 2 } unless backend == :inline
    assert_equal 0, stats[:troubles][:count], stats[:troubles].to_s
    assert_equal 0, stats[:items][:in_flight]
  end

  def owned(items, callable = MakeOwn, **options)
    @pool.dispatch_async(items, callable, results: :owned, **options)
  end

  def owned_value(items, callable = MakeOwn, **options)
    within(70) { owned(items, callable, **options).value(timeout: 60) }
  end

  def assert_own(items, results)
    assert_equal items.size, results.size
    refute_predicate results, :frozen?
    results.push(:mine).pop
    items.zip(results) do |item, result|
      refute_predicate result, :frozen?, result.inspect
      assert_equal [Array, StringIO, Set, MakeOwn::Box, String][item % 5], result.class
      case result
      when StringIO then assert_equal "io!", result.tap { |io| io.write("io!") }.string
      when Set then assert_equal Set[item, :more], result.add(:more)
      when MakeOwn::Box then assert_equal item, result.lock.synchronize { result.number }
      when String then assert_equal "text!", result << "!"
      else assert_equal [item, :more], result << :more
      end
    end
  end

  def test_owned_results_are_the_callers_own_whatever_they_are
    [1, 2, 7, 300].each { |count| assert_own((0...count).to_a, owned_value((0...count).to_a)) }
    assert_good_as_new
  end

  def test_owned_plain_data_is_not_frozen_either_in_no_share_of_any_size
    [1, 10, 20_000].each do |count|
      results = owned_value((0...count).to_a, Fresh)
      assert_equal (0...count).map { |i| { "item" => [i.to_s, i * 1.5] } }, results
      refute [results, results[0], results[-1]["item"], results[-1]["item"][0]].any?(&:frozen?)
    end
  end

  def test_no_owned_items_are_done_at_once
    future = owned([])
    assert_predicate future, :ready?
    assert_equal [], future.value(timeout: 0)
    assert_raises(TakenError) { future.value }
  end

  def test_owned_results_are_handed_over_once
    future = owned([1, 2, 3])
    within(10) { future.value }
    %i[value value! each each_completed].each do |again|
      error = assert_raises(TakenError) { future.public_send(again) { |*| flunk } }
      assert_match(/taken before/, error.message)
      assert_kind_of Ratomic::OwnershipError, error
    end
    assert_predicate future, :ready?
    assert_equal [3, 3], future.progress.to_a
    assert future.wait(timeout: 0)
  end

  def test_of_many_threads_one_gets_the_owned_results
    5.times do
      future = owned((0...50).to_a)
      values = within(20) do
        Array.new(8) { Thread.new { future.value(timeout: 10) rescue $! } }.map(&:value) # rubocop:disable Style/RescueModifier
      end
      assert_equal({ TakenError => 7, Array => 1 }, values.map(&:class).tally)
      assert_own((0...50).to_a, values.grep(Array)[0])
    end
  end

  def test_a_wait_that_ends_early_takes_no_owned_results
    return if backend == :inline

    gate = Hold.new
    future = owned([1, 2], gate)
    [-> { future.value(timeout: 0.01) }, -> { future.each(timeout: 0.01) { flunk } },
     -> { future.value!(timeout: 0) }, -> { future.each_completed(timeout: 0) { flunk } }].each do |wait|
      assert_raises(Ratomic::Workers::WaitTimeoutError, &wait)
    end
    refute_predicate future, :ready?
    gate.open
    assert_equal [1, 2], within(10) { future.value }
  end

  def test_owned_items_that_fail_are_failures_in_their_places
    %i[raise_error raise_exception overflow_stack throw_tag end_thread end_worker leave_program].each do |what|
      items = Array.new(40) { |i| i == 17 ? what : i }
      results = owned_value(items)
      assert_instance_of Failure, results[17], what
      assert_equal 17, results[17].index
      results.delete_at(17)
      assert_own(items - [what], results)
    end
    assert_good_as_new
  end

  def test_value_bang_of_owned_results_raises_the_first_failure_and_takes_nothing
    future = owned([1, :raise_error])
    assert_raises(Ratomic::Workers::ItemError) { within(10) { future.value! } }
    assert_instance_of StringIO, within(10) { future.value }[0]
    assert_raises(TakenError) { future.value! }
    assert_own([4, 5], within(10) { owned([4, 5]).value! })
  end

  def test_owned_results_come_one_by_one
    items = (0...300).to_a
    within(20) { assert_own(items, owned(items).each.to_a) }
    pairs = within(20) { owned(items).each_completed.to_a }
    assert_equal items, pairs.map(&:last).sort
    assert_own(items, pairs.sort_by(&:last).map(&:first))
    results = within(20) { owned([1, :raise_error, 3, :end_thread, 5]).each.to_a }
    assert_equal [StringIO, Failure, MakeOwn::Box, Failure, Array], results.map(&:class)
    failed = within(20) { owned([1, :raise_error, 3]).each_completed.to_h { |result, index| [index, result] } }
    assert_equal [StringIO, Failure, MakeOwn::Box], failed.values_at(0, 1, 2).map(&:class)
  end

  def test_owned_results_are_taken_when_a_thread_begins_to_read_them
    future = owned([0, 1, 2])
    within(10) { future.each { break } }
    assert_raises(TakenError) { future.value }
  end

  def test_what_is_done_when_the_time_is_up_comes_home_owned
    results = owned_value([*0...20, [30]], timeout: Waiting::DONE_IN_TIME_S, sequential: true)
    assert_instance_of Failure, results.pop
    assert_own([*0...20], results)
    assert_good_as_new
  end

  def test_owned_items_that_run_too_long_are_failures
    results = owned_value([0, [30], 2, [30], 4], item_timeout: Waiting::ITEM_TIMEOUT_S)
    assert_equal ["Ratomic::Workers::ItemTimeoutError"] * 2, results.values_at(1, 3).map(&:exception_class)
    assert_own([0, 2, 4], results.values_at(0, 2, 4))
    assert_good_as_new
  end

  def test_an_owned_item_that_ends_its_thread_is_run_again_with_retries
    attempts = Ratomic::Map.new
    twice = Class.new do
      def initialize(attempts) = (@attempts = attempts) && freeze
      def call(item) = item == 3 && @attempts.increment(:n) < 3 ? Thread.exit : StringIO.new(item.to_s)
    end.new(attempts)
    assert_equal %w[1 2 3 4], owned_value([1, 2, 3, 4], twice, retries: 2).map(&:string)
    assert_equal 3, attempts[:n]
  end

  def test_the_context_of_an_owned_dispatch
    reader = Ractor.make_shareable(Class.new { def call(_item) = [Ratomic::Workers.context] }.new)
    assert_equal [[:trace]] * 3, owned_value([1, 2, 3], reader, context: :trace)
    assert_nil Ratomic::Workers.context
  end

  def test_owned_results_of_items_that_were_handed_over
    results = owned_value([+"a", +"b", +"c"], Append, move: true)
    assert_equal %w[a! b! c!], results
    refute results.any?(&:frozen?)
  end

  def test_a_cancelled_owned_dispatch_has_what_was_done
    return if backend == :inline

    [false, true].each do |interrupt|
      gate = Hold.new
      future = owned([1, 2, 3], gate, sequential: true)
      eventually { gate.begun.value == 1 }
      assert future.cancel(interrupt: interrupt)
      results = within(5) { future.value }
      assert_equal ["Ratomic::Workers::CancelledError"] * 3, results.map(&:exception_class)
      refute_predicate results, :frozen?
    ensure
      gate.open
    end
    assert_good_as_new
  end

  def test_owned_results_are_there_when_the_pool_has_ended
    future = owned((0...100).to_a)
    assert within(20) { @pool.shutdown(timeout: 15) }
    assert_own((0...100).to_a, within(5) { future.value })
  end

  def test_killing_a_pool_ends_waits_for_owned_results
    futures = Array.new(10) { owned([[0.01]] * 20, timeout: 5) }
    @pool.kill
    futures.each { |future| assert_equal 20, within(5) { future.value }.size }
  end

  def test_a_pool_whose_results_are_owned
    pool = Ratomic::Workers::Pool.new(size: 2, backend: backend, results: :owned)
    100.times { |i| assert_own([i, i + 1], within(10) { pool.dispatch_async([i, i + 1], MakeOwn).value }) }
    frozen = within(10) { pool.dispatch_async([1, 2], Fresh, results: :frozen).value }
    assert Ractor.shareable?(frozen)
  ensure
    pool.kill
  end

  def test_a_stream_of_owned_results
    items = (0...2000).to_a
    assert_own(items, within(90) { @pool.stream(items, MakeOwn, results: :owned).to_a })
    keyed = within(90) { @pool.stream(items, MakeOwn, results: :owned, key: ->(i) { i % 7 }, max_in_flight: 50).to_a }
    assert_own(items, keyed)
    unordered = within(90) { @pool.stream(items, Fresh, results: :owned, ordered: false).to_a }
    assert_equal items, unordered.map { |hash| Integer(hash["item"][0]) }.sort
    refute unordered.any?(&:frozen?)
  end

  def test_owned_results_of_a_full_queue
    pool = Ratomic::Workers::Pool.new(size: 1, backend: backend, min_batch: 0, max_queue: 1, on_full: :caller_runs)
    futures = Array.new(20) { |i| pool.dispatch_async([i, i + 1], MakeOwn, results: :owned) }
    futures.each_with_index { |future, i| assert_own([i, i + 1], within(20) { future.value }) }
  ensure
    pool.kill
  end

  # Dispatches to its own pool, and waits.
  class Nest
    def initialize(pool)
      @pool = pool
      freeze
    end

    def call(item)
      @pool.dispatch_async([item, item + 1], MakeOwn, results: :owned).value(timeout: 10)
    end
  end

  def test_items_may_wait_for_owned_results_of_their_own_pool
    results = owned_value((0...8).to_a, Nest.new(@pool))
    results.each_with_index { |pair, i| assert_own([i, i + 1], pair) }
    assert_good_as_new
  end

  def test_an_unknown_value_of_results_is_refused
    error = assert_raises(ArgumentError) { @pool.dispatch_async([1], Double, results: :mine) }
    assert_match(/results: must be one of :frozen, :owned, not :mine/, error.message)
  end

  def test_dropped_items_have_no_owned_result
    items = (0...300).to_a
    kept = items.select { |item| (item % 3).zero? }
    [KeepThirds, KeepThirds::InRuns].each do |callable|
      results = owned_value(items, callable)
      assert_equal kept.map { |item| [item] }, results
      refute_predicate results[1], :frozen?
      future = @pool.dispatch_async(items, callable, results: :owned)
      assert_equal kept, within(20) { future.indices(timeout: 15) }
      assert_equal 200, future.dropped
      assert_equal kept.map { |item| [item] }, within(20) { future.each.to_a }
      future = @pool.dispatch_async(items, callable, results: :owned)
      assert_equal kept.map { |item| [[item], item] }, within(20) { future.each_completed.to_a }.sort
      streamed = within(20) { @pool.stream(items, callable, results: :owned).to_a }
      assert_equal kept.map { |item| [item] }, streamed
    end
    assert_good_as_new
  end

  def test_dropped_items_of_an_owned_dispatch_that_the_caller_runs
    pool = Ratomic::Workers::Pool.new(size: 2, backend: backend)
    40.times { within(20) { pool.dispatch_async([3, 4, 6], KeepThirds, results: :owned).value(timeout: 15) } }
    future = pool.dispatch_async([3, 4, 6], KeepThirds, results: :owned)
    assert_equal [0, 2], within(20) { future.indices(timeout: 15) }
    assert_equal [[[3], 0], [[6], 2]], within(20) { future.each_completed.to_a }
    assert_raises(TakenError) { future.value }
  ensure
    pool.kill
  end

  def test_a_reduction_in_a_pool_of_owned_results
    pool = Ratomic::Workers::Pool.new(size: 2, backend: backend, min_batch: 0, results: :owned)
    assert_equal 5_050, within(20) { pool.reduce((1..100).to_a, Sum) }.sum
  ensure
    pool.kill
  end

  module Sum
    def self.call(item) = item
    def self.initial = 0
    def self.merge(sum, other) = sum + other
  end
end
