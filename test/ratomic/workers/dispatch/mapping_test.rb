# frozen_string_literal: true

require "test_helper"
require "support/learnt_costs"
require "support/worker_callables"
require "support/worker_pools"

class MappingTest < Minitest::Test
  include LearntCosts
  include WorkerCallables
  include WorkerPools

  def test_it_returns_the_results
    results = new_pool.map([1, 2, 3], Double)
    assert_equal [2, 4, 6], results
    assert_predicate results, :frozen?
    assert_equal [], new_pool.map([], Double)
  end

  def test_owned_results_are_taken_once
    [nil, ->(_progress) {}].each do |progress|
      results = new_pool(results: :owned).map([1, 2, 3], Double, progress: progress)
      assert_equal [2, 4, 6], results
      refute_predicate results, :frozen?
    end
  end

  def test_the_first_failure_is_raised_when_all_is_done
    tally = Tally.new
    assert_raises(Ratomic::Workers::ItemError) { new_pool.map([:raise_error, 1, 2], Misbehave) }
    error = assert_raises(Ratomic::Workers::ItemError) { new_pool.map([1, :raise_error, :raise_exception], Misbehave) }
    assert_equal [1, "KeyError"], [error.failure.index, error.failure.exception_class]
    assert_equal [1, 2, 3], new_pool.map([1, 2, 3], tally)
  end

  # A sleep of 0 would give the processor to others, and a busy machine would take long to come back.
  module Nap
    def self.call(seconds)
      sleep(seconds) if seconds.positive?
      seconds
    end
  end

  def test_it_takes_the_options_of_a_dispatch
    late = { item_timeout: ITEM_TIMEOUT_S }
    error = assert_raises(Ratomic::Workers::ItemTimeoutError) { new_pool.map([0, 30], Nap, **late) }
    assert_equal 1, error.failure.index
    assert_raises(ArgumentError) { new_pool.map([1], Double, speed: 3) }
  end

  def test_a_listener_hears_how_far_it_is
    hold = Hold.new
    heard = []
    listener = lambda do |progress|
      heard << progress
      hold.open
    end
    within(10) { new_pool.map([1, 2, 3, 4, 5], hold, progress: listener) }
    assert_operator heard.first.completed, :<, 5
    assert_equal [5, 5], heard.last.to_a
    assert_equal 0, heard.last.failures
    assert_operator heard.last.seconds, :>, 0
    assert_equal heard.map(&:completed), heard.map(&:completed).sort
  end

  def test_failures_are_counted_once_each
    heard = []
    [new_pool, new_pool(backend: :inline)].each do |pool|
      items = [*1..50, *[:raise_error] * 7, *1..50]
      assert_raises(Ratomic::Workers::ItemError) { pool.map(items, Misbehave, progress: ->(p) { heard << p }) }
      assert_equal [107, 107, 7], [*heard.last, heard.last.failures]
    end
  end

  def test_progress_of_items_that_the_caller_runs_is_reported_too
    pool = Ratomic::Workers::Pool.new(size: 2)
    @pools << pool
    pool.map([1], Double, min_batch: 0)
    pretend(Double, 100, pool)
    heard = []
    assert_equal [2, 4], pool.map([1, 2], Double, progress: ->(progress) { heard << progress })
    assert_equal [[2, 2]], heard.map(&:to_a)
    assert_equal 1, pool.stats[:dispatches][:by_caller]
  end

  def test_the_work_ends_with_who_waits_for_it
    hold = Hold.new
    pool = new_pool
    [{}, { progress: ->(_) {} }].each do |options|
      begun = hold.begun.value
      thread = Thread.new { pool.map([1] * 100, hold, **options) }
      eventually { hold.begun.value > begun }
      thread.kill
      within(5) { thread.join }
      eventually(STATE_TIMEOUT_S, "the end of the items") do
        pool.stats.then { |s| s[:items][:in_flight] + s[:workers][:busy] }.zero?
      end
    end
    assert_equal 0, hold.finished.value
    assert_equal 2, pool.stats[:dispatches][:cancelled]
  end

  def test_a_listener_that_raises_ends_the_work
    hold = Hold.new
    pool = new_pool
    gone = ->(_) { raise IOError, "gone" }
    error = assert_raises(IOError) { within(10) { pool.map([1] * 10, hold, progress: gone) } }
    assert_equal "gone", error.message
    assert_equal 1, pool.stats[:dispatches][:cancelled]
  end

  def test_a_listener_that_can_hears_that_it_was_stopped
    listener = Object.new
    heard = []
    listener.define_singleton_method(:call) { |progress| heard << progress }
    listener.define_singleton_method(:stop) { |progress| heard << progress.to_a << :stopped }
    pool = new_pool
    thread = Thread.new { pool.map([60] * 3, Sleep, progress: listener) }
    eventually { heard.any? }
    thread.kill
    within(5) { thread.join }
    assert_equal [[0, 3], :stopped], heard.last(2)
  end

  def test_an_object_that_cannot_take_progress_is_refused
    error = assert_raises(TypeError) { new_pool.map([1], Double, progress: 7) }
    assert_match(/progress: must be true, a title or an object with `call\(progress\)`, not Integer/, error.message)
  end

  def test_an_item_may_map
    pool = new_pool
    inner = Class.new do
      def initialize(pool) = (@pool = pool) && Ractor.make_shareable(self)
      def call(item) = @pool.map([item, item + 1], Double, progress: ->(_) {}).sum
    end.new(pool)
    assert_equal [2, 6, 10], within(20) { pool.map([0, 1, 2], inner) }
  end
  Double = WorkerCallables::Double

  def test_ctrl_c_says_how_far_it_was
    out = ruby!(<<~RUBY, env: { "RACK_ENV" => nil, "RAILS_ENV" => nil })
      require "ratomic"
      require "stringio"
      module Nap
        BEGUN = Ratomic::Counter.new
        def self.call(seconds)
          BEGUN.increment
          sleep(seconds)
        end
      end
      $stderr = StringIO.new
      main = Process.pid
      Thread.new do
        Thread.pass until Nap::BEGUN.value.positive?
        Process.kill(:INT, main)
      end
      begin
        Ratomic::Workers.map([60, 60, 60], Nap, progress: "Napping", min_batch: 0)
      rescue Interrupt
        puts $stderr.string, Ratomic::Workers.shutdown(timeout: 10)
      end
    RUBY
    assert_match(/\ANapping: stopped at 0 of 3 items after [0-9.]+ m?s\ntrue\n\z/, out)
  end

  def test_a_block_may_stand_in_the_place_of_the_callable
    pool = new_pool
    assert_equal [2, 3], pool.map([1, 2], min_batch: 0) { |number| number + 1 }
    assert_equal %w[A B], pool.map(%w[a b], min_batch: 0, &:upcase)
    error = assert_raises(ArgumentError) { pool.map([1], Double) { nil } }
    assert_match(/a callable, or a block/, error.message)
    assert_raises(Ratomic::Workers::CallableError) { pool.map([1]) }
  end
end
