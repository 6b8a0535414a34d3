# frozen_string_literal: true

require "test_helper"
require "support/backend_contract"
require "support/per_worker_contract"
require "support/unmade_results_contract"

class RactorsTest < Minitest::Test
  include BackendContract
  include PerWorkerContract
  include UnmadeResultsContract

  module Constant
    LIST = [1, [2]] # rubocop:disable Style/MutableConstant -- what no worker may read

    def self.call(item)
      item == :read ? LIST : item
    end
  end

  def backend
    :ractor
  end

  def setup
    skip_without_ractors
    super
  end

  def teardown
    @pool&.kill
  end

  def test_items_run_in_other_ractors
    where = Ractor.shareable_proc { |_item| [Ractor.main?, Ractor.current.name] }
    value_of([1, 2], where).each do |main, name|
      refute main
      assert_match(/\Aratomic-workers-\d+-\d+\z/, name)
    end
  end

  def test_reading_an_unshareable_constant_is_a_failure
    results = value_of([1, :read, 3], Constant)
    assert_equal [1, 3], results.values_at(0, 2)
    assert_failure results[1], "Ractor::IsolationError", 1
    assert_match(/Constant::LIST/, results[1].message)
    assert_good_as_new
  end

  def test_a_proc_must_be_shareable
    error = assert_raises(Ratomic::Workers::CallableError) { @pool.dispatch_async([1], proc { |item| item }) }
    assert_match(/shareable_proc/, error.message)
    assert_equal [3], value_of([2], Ractor.shareable_proc { |item| item + 1 })
  end

  def test_a_worker_that_dies_is_replaced
    before = @pool.start.stats[:workers][:respawns]
    value_of([:end_worker], Misbehave)
    eventually { @pool.stats[:workers][:respawns] > before && @pool.stats[:workers][:alive] == 2 }
    assert_good_as_new
  end

  def test_workers_that_keep_dying_are_restarted_slowly_and_reported
    started = now
    results = value_of([:end_worker] * 8, Misbehave)
    results.each_with_index { |result, index| assert_failure(result, "ThreadError", index) }
    assert_operator now - started, :>, 0.05
    stats = @pool.stats
    assert_operator stats[:workers][:pauses], :>=, 2
    assert_match(/replaced more slowly/, stats[:notes].join)
    assert_good_as_new
  end

  def test_the_caller_cannot_use_moved_items
    items = [+"one", [+"two"], { three: +"3" }]
    future = @pool.dispatch_async(items, Ractor.shareable_proc do |item|
                                           item.is_a?(String) ? item << "!" : item
                                         end, move: true)
    assert_raises(Ractor::MovedError) { items[0].size }
    assert_raises(Ractor::MovedError) { items[1].size }
    assert_equal ["one!", ["two"], { three: "3" }], future.value(timeout: 10)
  end

  def test_many_moved_items_keep_their_order
    items = Array.new(1000) { |i| +"item #{i}" }
    assert_equal Array.new(1000) { |i| "item #{i}!" }, value_of(items, Ractor.shareable_proc do |item|
                                                                         item << "!"
                                                                       end, move: true)
  end

  def test_an_item_that_can_be_neither_moved_nor_copied_is_a_failure
    results = value_of([+"a", Thread.current, Thread::Mutex.new, +"b"], Ractor.shareable_proc(&:to_s), move: true)
    assert_equal %w[a b], results.values_at(0, 3)
    [1, 2].each { |index| assert_failure(results[index], "Ratomic::ShareableError", index) }
    assert_good_as_new
  end

  # Makes what ends the worker when it is frozen, or ends its runner.
  module EndsAll
    Result = Class.new { def freeze = Thread.main.kill && super }

    def self.call(item)
      item == 2 ? Thread.exit : Result.new
    end
  end

  def test_results_whose_freezing_ends_the_worker_are_filed
    results = value_of([0, 1, 2, 3], EndsAll, sequential: true)
    assert_equal [EndsAll::Result] * 3, results.values_at(0, 1, 3).map(&:class)
    assert_failure results[2], "ThreadError", 2
    assert_good_as_new
  end

  def test_moved_items_after_one_that_ends_its_worker_run_in_another_worker
    ending = Ractor.shareable_proc { |item| item.start_with?("end") ? Thread.main.kill : item << "!" }
    items = Array.new(60) { |i| +(i == 20 ? "end" : "item #{i}") }
    results = value_of(items, ending, move: true)
    assert_failure results[20], "ThreadError", 20
    assert_equal Array.new(60) { |i| "item #{i}!" }.values_at(*0..19, *21..59), results.values_at(*0..19, *21..59)
    assert_good_as_new
  end

  def test_a_moved_dispatch_can_be_cancelled
    hold = Hold.new
    blocked = @pool.dispatch_async([1, 2], hold)
    eventually { hold.begun.value == 2 }
    future = @pool.dispatch_async([+"a", +"b"], Double, move: true)
    assert future.cancel
    hold.open
    assert_equal [1, 2], blocked.value(timeout: 10)
    assert_equal(%w[Ratomic::Workers::CancelledError] * 2, future.value(timeout: 1).map(&:exception_class))
    assert_good_as_new
  end

  def test_a_dispatch_from_another_ractor_and_a_future_awaited_in_a_third
    pool = @pool
    future = within(10) { in_ractor(pool) { |given| given.dispatch_async([1, 2, 3], Double) } }
    assert_equal [2, 4, 6], within(10) { in_ractor(future) { |given| given.value(timeout: 5) } }
    assert_equal [2, 4, 6], future.value(timeout: 0)
  end

  def test_a_pool_outlives_the_ractor_that_started_it
    pool = Ratomic::Workers::Pool.new(size: 2, min_batch: 0)
    assert_equal [2], within(10) { in_ractor(pool) { |given| given.dispatch_async([1], Double).value(timeout: 5) } }
    assert_equal [4], within(10) { pool.dispatch_async([2], Double).value(timeout: 5) }
    assert_failure within(10) { pool.dispatch_async([:end_worker], Misbehave).value(timeout: 5) }[0], "ThreadError", 0
    assert_equal [6], within(10) { pool.dispatch_async([3], Double).value(timeout: 5) }
    assert within(10) { pool.shutdown(timeout: 5) }
  end

  # All native threads of the VM may be asleep then, in those that wait for the first one to have started it.
  def test_ten_ractors_start_a_pool_at_once
    6.times do
      assert_equal "10", ruby!(<<~'RUBY', seconds: 60)
        require "ratomic"
        module Double
          def self.call(number) = number * 2
        end
        pool = Ratomic::Workers::Pool.new(size: 2)
        ractors = Array.new(10) do |n|
          Ractor.new(pool, n) { |given, k| given.dispatch_async([k], Double).value == [k * 2] }
        end
        print ractors.count(&:value)
      RUBY
    end
  end

  def test_ten_ractors_dispatch_at_once
    pool = @pool
    totals = within(30) do
      ractors = Array.new(10) do |n|
        Ractor.new(pool, n) do |given, k|
          Array.new(50) do |i|
            given.dispatch_async([i, k], Double).value!(timeout: 20).sum
          end.sum
        end
      end
      ractors.map(&:value)
    end
    assert_equal Array.new(10) { |n| (0...50).sum { |i| (i + n) * 2 } }, totals
  end

  # A native call that keeps its Ractor's lock for ever would stop the next collection, and with it the whole process;
  # no pool can help that. One that only ignores interrupts can be left alone.
  def test_an_item_that_cannot_be_interrupted_is_abandoned_with_its_worker
    deaf = Ractor.shareable_proc do |item|
      deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + 3
      over = -> { Process.clock_gettime(Process::CLOCK_MONOTONIC) > deadline }
      item == 3 ? Thread.handle_interrupt(Object => :never) { nil until over.call } : item
    end
    started = now
    results = value_of([1, 2, 3, 4], deaf, item_timeout: 0.2, sequential: true)
    assert_operator now - started, :<, 2.5
    assert_failure results[2], "Ratomic::Workers::ItemTimeoutError", 2
    assert_equal [1, 2, 4], results.values_at(0, 1, 3)
    eventually { @pool.stats[:workers][:abandoned] == 1 }
    assert_good_as_new
  end

  def test_a_program_with_a_stuck_worker_ends_with_its_own_status
    result = ruby(<<~RUBY, seconds: 20)
      require "ratomic"
      pool = Ratomic::Workers::Pool.new(size: 1)
      deaf = Ractor.shareable_proc { |item| item == 1 ? Thread.handle_interrupt(Object => :never) { loop { item.to_s } } : item }
      p pool.dispatch_async([1, 2], deaf, item_timeout: 0.1).value.map(&:to_s)
      exit 7
    RUBY
    assert_match(/item 0: Ratomic::Workers::ItemTimeoutError.*"2"/, result.out)
    assert_equal 7, result.status.exitstatus
  end
end
