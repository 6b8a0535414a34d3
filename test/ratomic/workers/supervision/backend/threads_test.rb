# frozen_string_literal: true

require "test_helper"
require "support/interruption"
require "support/backend_contract"
require "support/per_worker_contract"
require "support/unmade_results_contract"

class ThreadsTest < Minitest::Test
  include BackendContract
  include PerWorkerContract
  include UnmadeResultsContract
  include Interruption

  def backend
    :thread
  end

  def test_a_callable_need_not_be_shareable
    seen = []
    results = value_of([1, 2, 3], ->(item) { seen << item && item + 1 })
    assert_equal [2, 3, 4], results
    assert_equal [1, 2, 3], seen.sort
    assert_equal 0, refs_kept
  end

  def test_an_unshareable_callable_is_released_wherever_its_dispatch_is_interrupted
    pool = Ratomic::Workers::Pool.new(size: 1, backend: :thread, min_batch: 0)
    seen = []
    callable = ->(item) { seen << item }
    within(20) { pool.dispatch_async([1], callable).value }
    engine = pool.instance_variable_get(:@cell)[:engine]
    kept = Ratomic::Workers::RactorLocalRefs
    ended = interrupt_everywhere(:raise, -> { pool.dispatch_async([1], callable) }) do |point|
      eventually { engine.idle? }
      if ADMISSION.match?(point)
        Ractor.current[kept::STORE].clear # the dispatch does not have the Ref yet
      else
        eventually(STATE_TIMEOUT_S, "the release (#{point})") { refs_kept.zero? }
      end
    end
    assert_operator ended, :>, 40
    within(20) { pool.shutdown }
  end

  ADMISSION = /ractor_local_refs|callable\.rb|of (?:admit|assign|around) in/

  def test_an_unshareable_callable_is_released_however_the_dispatch_ends
    value_of([1], ->(item) { item })
    assert_raises(Ratomic::Workers::ItemError) { @pool.dispatch_async([1], ->(_) { raise "x" }).value!(timeout: 5) }
    hold = Hold.new
    futures = Array.new(4) { @pool.dispatch_async([1], ->(item) { hold.call(item) }) }
    eventually { hold.begun.value == 2 }
    assert futures[3].cancel
    hold.open
    futures.each { |future| future.wait(timeout: 5) }
    @pool.dispatch_async([], ->(item) { item })
    assert_equal 0, refs_kept
  end

  def test_a_worker_that_is_killed_when_it_begins_is_replaced
    beginning = TracePoint.new(:call) do |event|
      next unless event.method_id == :run && event.self.is_a?(Ratomic::Workers::Worker)

      beginning.disable
      Thread.new(Thread.current, &:kill).join
    end
    beginning.enable
    assert_equal [2], value_of([1], Double)
    eventually { @pool.stats[:workers].values_at(:respawns, :alive) == [1, 2] }
  ensure
    beginning&.disable
  end

  # There the coordinator is in the main thread of its Ractor, which the workers share.
  def test_a_pool_started_in_another_ractor_survives_errors_raised_into_the_main_thread
    skip_without_ractors
    raises = Ractor.make_shareable(Class.new { def call(n) = Thread.main.raise(n.to_s) || n }.new)
    results = within(20) do
      Ractor.new(raises, Double) do |callable, double|
        pool = Ratomic::Workers::Pool.new(size: 2, backend: :thread, min_batch: 0)
        pool.dispatch_async([1, 2], callable).value(timeout: 5) +
          pool.dispatch_async([3], double, timeout: 5).value(timeout: 5) << pool.shutdown(timeout: 5)
      end.value
    end
    assert_equal [1, 2, 6, true], results
  end

  def test_items_run_in_threads_of_this_process
    assert_equal [Process.pid], value_of([1], ->(_) { Process.pid })
    refute_equal [Thread.current.object_id], value_of([1], ->(_) { Thread.current.object_id })
  end

  # Waits until so many run at a time.
  class Meet
    def initialize(count)
      @count = count
      @come = Ratomic::Counter.new
      @gate = Ratomic::Queue.new(count)
      freeze
    end

    def call(item)
      @count.times { @gate << :go } if @come.increment == @count
      @gate.pop
      item
    end
  end

  def test_items_that_wait_run_concurrently
    pool = Ratomic::Workers::Pool.new(size: 10, backend: :thread, min_batch: 0)
    meet = Meet.new(10)
    futures = Array.new(10) { |number| pool.dispatch_async([number], meet) }
    assert_equal (0...10).map { |number| [number] }, within(20) { futures.map { |future| future.value(timeout: 15) } }
  ensure
    pool.kill
  end

  def test_a_pool_outlives_the_ractor_that_started_it
    skip_without_ractors
    pool = Ratomic::Workers::Pool.new(size: 2, backend: :thread, min_batch: 0)
    assert_equal [2], within(10) { in_ractor(pool) { |given| given.dispatch_async([1], Double).value(timeout: 5) } }
    assert_equal [4], within(10) { pool.dispatch_async([2], Double).value(timeout: 5) }
    assert_failure within(10) { pool.dispatch_async([:end_thread], Misbehave).value(timeout: 5) }[0], "ThreadError", 0
    assert_equal ["aa"], within(10) { pool.dispatch_async([+"a"], Double, move: true).value(timeout: 5) }
    assert within(10) { pool.shutdown(timeout: 5) }
  end

  def test_another_ractor_can_only_dispatch_shareable_callables
    skip_without_ractors
    pool = @pool
    value_of([1], Double)
    refused = within(10) do
      in_ractor(pool) do |given|
        given.dispatch_async([1], [].method(:<<))
      rescue Ratomic::Workers::CallableError => e
        e.message
      end
    end
    assert_match(/is not shareable/, refused)
    assert_equal 0, refs_kept
  end
end
