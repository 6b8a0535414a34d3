# frozen_string_literal: true

require "test_helper"
require "support/owned_contract"

class OwnedFutureOfThreadsTest < Minitest::Test
  include OwnedContract

  def backend
    :thread
  end

  def test_in_another_ractor_there_are_no_owned_results_of_threads
    skip_without_ractors
    future = owned([1, 2])
    assert future.wait(timeout: 10)
    message = in_ractor(future) do |f|
      f.value
    rescue Ratomic::Workers::TakenError => e
      e.message
    end
    assert_match(/are with the Ractor that made it/, message)
    assert_own([1, 2], future.value)
  end

  def test_owned_results_that_nobody_takes_are_not_kept
    boxes = Ratomic::Workers::LocalStore.here.instance_variable_get(:@boxes)
    skip "an older Ruby has no WeakKeyMap, and nothing to ask" unless boxes.inspect.include?("size=")
    200.times { owned([1], Fresh).wait(timeout: 10) }
    eventually(15) do
      owned([1], Fresh).wait(timeout: 10)
      GC.start
      Integer(boxes.inspect[/size=(\d+)/, 1]) < 50
    end
  end
end

class OwnedFutureInlineTest < Minitest::Test
  include OwnedContract

  def backend
    :inline
  end
end

class OwnedFutureOfRactorsTest < Minitest::Test
  include OwnedContract

  def backend
    :ractor
  end

  def setup
    skip_without_ractors
    super
  end

  # Takes long enough to be worth a whole worker.
  module Large
    def self.call(item)
      WorkerCallables::Spin.call(200)
      [item.to_s, Ractor.current.object_id]
    end
  end

  # Returns what cannot be copied.
  module Singular
    Thing = Struct.new(:item, :lock)

    def self.call(item)
      Thing.new(item, Thread::Mutex.new)
    end
  end

  # Returns a plain result, and what comes last waits.
  class Last
    def initialize(hold)
      @hold = hold
      freeze
    end

    def call(item)
      item == :hold ? @hold.call(item) : [item.to_s]
    end
  end

  def engine
    @pool.instance_variable_get(:@cell)[:engine]
  end

  def test_results_are_the_very_objects_that_a_worker_made
    results = owned_value((0...100).to_a, Singular)
    assert_equal (0...100).to_a, results.map(&:item)
    refute results.any?(&:frozen?)
  end

  def test_large_shares_come_home_and_others_take_their_places
    20.times do
      results = owned_value((0...100).to_a, Large)
      assert_equal (0...100).map(&:to_s), results.map(&:first)
      assert_operator results.map(&:last).uniq.size, :<=, 4
      refute results.any?(&:frozen?)
    end
    assert_good_as_new
    workers = @pool.stats[:workers]
    assert_equal [0, 0, 0], workers.values_at(:respawns, :abandoned, :runners_replaced), workers.to_s
    assert_empty engine.homes.to_h
  end

  def test_there_is_a_reserve_as_soon_as_it_is_needed_and_not_before
    ids = -> { Ractor.count }
    assert_leaves_nothing(10) do
      pool = Ratomic::Workers::Pool.new(size: 2, min_batch: 0)
      within(10) { pool.dispatch_async([1, 2], Double).value }
      until_workers_wait(pool)
      before = ids.call
      within(10) { pool.dispatch_async([1, 2], Double, results: :owned).value }
      eventually { ids.call == before + 2 }
      assert_equal 2, pool.stats[:workers][:alive]
      assert within(10) { pool.shutdown(timeout: 9) }
    end
  end

  def test_the_owned_results_of_another_ractor
    [[1, 2, 3], (0...60).to_a].each do |items|
      future = owned(items, Singular)
      there = in_ractor(future) { |f| f.value(timeout: 15).map(&:item) }
      assert_equal items, there
      assert_raises(TakenError) { future.value }
      assert_equal items.map { |i| [i, 1] }, in_ractor(owned(items, Double)) { |f| f.each.to_a }.map { |i| [i / 2, 1] }
    end
  end

  def test_results_come_home_when_a_dispatch_is_cancelled_although_an_item_runs_on
    hold = Hold.new
    future = owned([1, 2, :hold], Last.new(hold), sequential: true, item_timeout: 60)
    within(10) { @pool.dispatch_async([1, 2], Double, item_timeout: 60).value }
    eventually { hold.begun.value == 1 }
    future.cancel
    results = within(5) { future.value }
    assert_equal 3, results.size
    assert_equal "Ratomic::Workers::CancelledError", results[2].exception_class
  ensure
    hold.open
  end

  def test_a_share_whose_worker_dies_comes_home_all_the_same
    items = [*0...30, :end_worker, *30...60]
    results = owned_value(items, MakeOwn, sequential: true)
    assert_instance_of Failure, results.delete_at(30)
    assert_own((0...60).to_a, results)
    assert_equal 1, @pool.stats[:workers][:respawns]
    assert_good_as_new
  end

  # A native call that cannot be interrupted: the worker can neither go on nor end.
  class Stick < Last
    def call(item)
      Thread.handle_interrupt(Object => :never) { super }
    end
  end

  def test_results_of_a_worker_that_cannot_end_come_as_a_copy
    stick = Stick.new(hold = Hold.new)
    results = owned_value([1, 2, 3, :hold], stick, sequential: true, timeout: DONE_IN_TIME_S)
    assert_equal [1, 0], [hold.begun.value, hold.finished.value], "the last item runs on"
    assert_equal [["1"], ["2"], ["3"]], results.first(3)
    assert_equal "Ratomic::Workers::DispatchTimeoutError", results[3].exception_class
    refute results.first(3).any?(&:frozen?)
  ensure
    hold.open
  end

  def test_a_thread_that_an_item_has_left_behind_keeps_nobody
    leave = Module.new do
      def self.call(item)
        Thread.new { Thread.handle_interrupt(Object => :never) { sleep(1.5) } } if item == 1
        Object.new.tap { |object| object.instance_variable_set(:@item, item) }
      end
    end
    results = owned_value([1, 2], leave)
    assert_equal [1, 2], results.map { |object| object.instance_variable_get(:@item) }
  end

  def test_in_a_forked_child_there_are_no_owned_results_of_the_parent
    skip_on_development_ruby("a forked child crashes when it collects") unless RUBY_PATCHLEVEL >= 0
    ruby!(<<~'RUBY')
      require "ratomic"
      make = Module.new { def self.call(item) = [item.to_s] }
      pool = Ratomic::Workers::Pool.new(size: 2, min_batch: 0, results: :owned)
      done = pool.dispatch_async([1, 2], make)
      done.wait(timeout: 10) || abort("not done")
      slow = pool.dispatch_async([3], Module.new { def self.call(item) = sleep(1) && [item] })
      pid = fork do
        [done, slow].each do |future|
          future.value(timeout: 5)
          exit!(1)
        rescue Ratomic::Workers::TakenError => e
          exit!(2) unless e.message.include?("forked")
        end
        exit!(pool.dispatch_async([5], make).value(timeout: 10) == [["5"]] ? 0 : 3)
      end
      Process.wait(pid)
      abort("child: #{$?.exitstatus}") unless $?.exitstatus == 0
      abort("parent") unless done.value == [["1"], ["2"]] && slow.value(timeout: 10) == [[3]]
    RUBY
  end

  def test_owned_results_that_nobody_takes_are_not_kept
    grown = ruby!(<<~'RUBY', seconds: 60).to_i
      require "ratomic"
      large = Module.new { def self.call(item) = Object.new.tap { |o| o.instance_variable_set(:@text, "x" * 1_000_000) } }
      pool = Ratomic::Workers::Pool.new(size: 2, min_batch: 0, results: :owned)
      rss = -> { GC.start; File.read("/proc/self/status")[/VmRSS:\s+(\d+)/, 1].to_i / 1024 }
      20.times { pool.dispatch_async([1, 2], large).wait(timeout: 10) }
      before = rss.call
      150.times { pool.dispatch_async([1, 2], large).wait(timeout: 10) }
      grown = nil
      100.times { (grown = rss.call - before) < 120 ? break : sleep(0.1) } # the last Ractors may not have ended yet
      puts grown
    RUBY
    assert_operator grown, :<, 120 # of 300 MB
  end

  def test_events_and_counts_of_owned_dispatches
    events = []
    subscription = @pool.subscribe { |event| events << event }
    results = owned_value([1, 2, :raise_error], MakeOwn, context: :trace)
    assert_instance_of Failure, results[2]
    eventually { events.any? { |event| event.name == :completed } }
    assert_equal %i[dispatched failed completed], events.map(&:name).grep(/dispatched|failed|completed/)
    assert_equal [:trace], events.select(&:dispatch).map(&:context).uniq
    assert_equal({ accepted: 3, finished: 3, in_flight: 0, dropped: 0 }, @pool.stats[:items])
    assert_equal({ "KeyError" => 1 }, @pool.stats[:failures])
  ensure
    subscription&.cancel
  end
end
