# frozen_string_literal: true

require "test_helper"
require "support/worker_callables"
require "support/worker_pools"

class WorkersPoolTest < Minitest::Test
  include WorkerCallables
  include WorkerPools

  Pool = Ratomic::Workers::Pool

  # Takes every worker, so that what is dispatched next waits in the queue.
  def hold_all(pool)
    hold = Hold.new
    futures = (1..pool.size).map do |count|
      pool.dispatch_async([1], hold).tap { eventually { hold.begun.value == count } }
    end
    [hold, futures]
  end

  def test_it_is_frozen_and_shareable_and_says_what_it_is
    pool = new_pool(name: "parsers")
    assert_predicate pool, :frozen?
    assert Ractor.shareable?(pool) if Ratomic::RACTORS
    assert_match(/parsers: 2 \w+ workers/, pool.inspect)
    assert_equal [2, "parsers"], [pool.size, pool.name]
  end

  def test_its_size_is_the_number_of_processors_by_default
    assert_equal Etc.nprocessors, Pool.new.size
  end

  def test_wrong_settings_are_refused
    assert_raises(ArgumentError) { Pool.new(size: 0) }
    assert_raises(ArgumentError) { Pool.new(size: -3) }
    assert_raises(TypeError) { Pool.new(size: "2") }
    assert_raises(ArgumentError) { Pool.new(backend: :fibers) }
    assert_raises(ArgumentError) { Pool.new(max_queue: 0) }
    assert_raises(ArgumentError) { Pool.new(speed: 1) }
  end

  def test_ractors_are_refused_where_there_are_none
    skip "this Ruby has Ractors" if Ratomic::RACTORS
    error = assert_raises(NotImplementedError) { Pool.new(backend: :ractor) }
    assert_match(/Ruby 4.0/, error.message)
    assert_equal :thread, Pool.new.backend
  end

  def test_pools_without_work_leave_nothing_behind
    assert_leaves_nothing { 10.times { Pool.new(size: 3) } }
  end

  def test_questions_to_a_pool_start_no_workers
    assert_leaves_nothing do
      pool = Ratomic::Workers::Pool.new(size: 2, name: "asked")
      assert_equal [2, { made: 0, completed: 0 }],
                   [pool.stats[:size], pool.stats[:dispatches].slice(:made, :completed)]
      assert_match(/asked/, pool.to_prometheus)
      assert_predicate pool.explain([1], Double), :ok?
      assert_equal 0, pool.stats[:workers][:alive]
      refute_predicate pool, :shutdown?
    end
  end

  def test_it_is_started_while_it_has_workers
    pool = new_pool
    refute_predicate pool, :started?
    pool.start
    assert_predicate pool, :started?
    assert pool.shutdown(timeout: 10)
    refute_predicate pool, :started?
    never = new_pool
    never.shutdown(timeout: 10)
    refute_predicate never, :started?
    by_work = new_pool
    by_work.dispatch_async([1], Double).value(timeout: 10)
    assert_predicate by_work, :started?
    by_work.kill
    eventually { !by_work.started? }
  end

  def test_a_forked_child_has_not_started
    skip "no fork here" unless Process.respond_to?(:fork)
    ruby!(<<~RUBY)
      require "ratomic"
      pool = Ratomic::Workers::Pool.new(size: 1).start
      child = fork { exit!(pool.started? ? 1 : 0) }
      abort unless Process.wait2(child).last.success? && pool.started?
      pool.shutdown(timeout: 5)
    RUBY
  end

  def test_a_block_is_a_callable
    pool = new_pool
    factor = 3
    assert_equal [3, 6], pool.dispatch_async([1, 2]) { |item| item * factor }.value(timeout: 10)
    assert_equal [5, 5], pool.dispatch_async([1, 2], context: 5) { |_| Ratomic::Workers.context }.value(timeout: 10)
    assert_equal [2, 4], Ratomic::Workers.dispatch_async([1, 2], min_batch: 0) { |item| item + item }.value(timeout: 10)
  end

  def test_a_block_that_captures_is_refused_with_the_reason_of_ruby
    skip_without_ractors
    pool = new_pool(backend: :ractor)
    list = []
    error = assert_raises(Ratomic::Workers::CallableError) { pool.dispatch_async([1]) { |item| list << item } }
    assert_match(/the block \(#{__FILE__}:\d+\) cannot run in a worker: .*list/, error.message)
    assert_equal 0, pool.stats[:dispatches][:made]
    threads = new_pool(backend: :thread)
    threads.dispatch_async([1, 2]) { |item| list << item }.value(timeout: 10)
    assert_equal [1, 2], list.sort
  end

  def test_a_block_beside_a_callable_is_refused
    pool = new_pool
    assert_raises(ArgumentError) { pool.dispatch_async([1], Double) { |item| item } }
    assert_raises(ArgumentError) { pool.dispatch_async([1], Double, timeout: 1) { |item| item } }
    assert_raises(ArgumentError) { pool.dispatch_async([1], tmeout: 1) { |item| item } }
    assert_raises(Ratomic::Workers::CallableError) { pool.dispatch_async([1]) }
  end

  def test_its_threads_are_marked_as_safe_to_fork
    others = Thread.list
    pool = new_pool
    subscription = pool.subscribe { nil }
    pool.dispatch_async([1, 2, 3], Double, item_timeout: 5).value(timeout: 10)
    made = Thread.list - others
    refute_empty made
    assert(made.all? { |thread| thread.thread_variable_get(:fork_safe) }, made.inspect)
  ensure
    subscription&.cancel
  end

  def test_a_pool_that_was_shut_down_leaves_nothing_behind
    assert_leaves_nothing do
      pool = Pool.new(size: 3, min_batch: 0)
      assert_equal [2], pool.dispatch_async([1], Double, timeout: 60).value(timeout: 5)
      pool.dispatch_async([+"x"], Double, move: true).value(timeout: 5)
      pool.subscribe { |event| event }
      assert within(10) { pool.shutdown(timeout: 5) }
    end
  end

  def test_a_killed_pool_leaves_nothing_behind_and_wakes_its_waiters
    assert_leaves_nothing do
      pool = Pool.new(size: 2, min_batch: 0)
      running = pool.dispatch_async([30, 30], Sleep)
      queued = pool.dispatch_async([30] * 10, Sleep)
      waiter = Thread.new { queued.value }
      until_asleep(waiter)
      within(10) { pool.kill }
      [running.value(timeout: 1), within(1) { waiter.value }].flatten.each do |result|
        assert_equal "Ratomic::Workers::ShutdownError", result.exception_class
        refute_nil result.index
      end
      assert_raises(Ratomic::Workers::ShutdownError) { queued.value! }
      assert_raises(Ratomic::Workers::ShutdownError) { pool.dispatch_async([1], Double) }
    end
  end

  def test_shutdown_gives_up_on_time_and_still_finishes_later
    pool = new_pool
    hold, futures = hold_all(pool)
    refute within(5) { pool.shutdown(timeout: 0.1) }
    assert_raises(Ratomic::Workers::ShutdownError) { pool.dispatch_async([1], Double) }
    hold.open
    assert within(5) { pool.shutdown(timeout: 4) }
    futures.each { |future| assert_equal [1], future.value(timeout: 0) }
  end

  def test_a_full_queue_refuses
    pool = new_pool(max_queue: 3, on_full: :raise)
    hold, = hold_all(pool)
    futures = Array.new(3) { pool.dispatch_async([1], Double) }
    error = assert_raises(Ratomic::Workers::QueueFullError) { pool.dispatch_async([1], Double) }
    assert_match(/3 dispatches wait.*max_queue: 3/, error.message)
    assert_equal 1, pool.stats[:dispatches][:rejected]
    hold.open
    futures.each { |future| assert_equal [2], future.value(timeout: 5) }
    assert_equal [2], pool.dispatch_async([1], Double).value(timeout: 5)
    assert within(5) { pool.shutdown(timeout: 4) }
  end

  # The last item of a dispatch that is begun is queued too, but it has its turn behind it.
  def test_begun_dispatches_do_not_count_as_waiting
    pool = Ratomic::Workers::Pool.new(size: 1, max_queue: 1, min_batch: 0, on_full: :raise)
    hold = Hold.new
    running = pool.dispatch_async([1, 2], hold)
    eventually { hold.begun.value == 1 }
    assert_equal 0, pool.stats[:dispatches][:queued]
    waiting = pool.dispatch_async([3], Double)
    assert_equal 1, pool.stats[:dispatches][:queued]
    error = assert_raises(Ratomic::Workers::QueueFullError) { pool.dispatch_async([1], Double) }
    assert_match(/\A1 dispatch waits in/, error.message)
    hold.open
    assert_equal [[1, 2], [6]], [running, waiting].map { |future| future.value(timeout: 5) }
  ensure
    hold.open
    pool.kill
  end

  def test_cancelled_and_ended_dispatches_do_not_count_as_waiting
    pool = Ratomic::Workers::Pool.new(size: 1, max_queue: 2, min_batch: 0, on_full: :raise)
    hold = Hold.new
    running = pool.dispatch_async([1], hold)
    eventually { hold.begun.value == 1 }
    kept = pool.dispatch_async([1], Double)
    assert_predicate pool.dispatch_async([2], Double).tap(&:cancel), :cancelled?
    pool.dispatch_async([3], Double, timeout: 0.01).wait(timeout: 5)
    last = pool.dispatch_async([4], Double, on_full: :block)
    assert_equal 2, pool.stats[:dispatches][:queued]
    blocked = Thread.new { pool.dispatch_async([5], Double, on_full: :block) }
    until_asleep(blocked)
    last.cancel
    assert blocked.join(5)
    hold.open
    assert_equal [[1], [2], [10]], [running, kept, blocked.value].map { |future| future.value(timeout: 5) }
  ensure
    hold.open
    pool.kill
  end

  def test_a_full_queue_blocks_until_there_is_room
    pool = new_pool(max_queue: 1)
    hold, = hold_all(pool)
    pool.dispatch_async([1], Double)
    caller = Thread.new { pool.dispatch_async([4], Double) }
    until_asleep(caller)
    hold.open
    assert_equal [8], within(5) { caller.value.value }
  end

  def test_a_full_queue_blocks_no_longer_than_it_may
    pool = new_pool(max_queue: 1, queue_timeout: 0.1)
    hold, = hold_all(pool)
    pool.dispatch_async([1], Double)
    assert_raises(Ratomic::Workers::QueueFullError) { within(5) { pool.dispatch_async([1], Double) } }
    hold.open
    assert within(5) { pool.shutdown(timeout: 4) }
  end

  def test_a_caller_killed_while_it_waits_for_room_holds_nothing_up
    pool = new_pool(max_queue: 1)
    hold, = hold_all(pool)
    pool.dispatch_async([1], Double)
    caller = Thread.new { pool.dispatch_async([4], Double) }
    until_asleep(caller)
    caller.kill.join
    hold.open
    assert within(5) { pool.shutdown(timeout: 4) }
  end

  def test_the_caller_runs_what_finds_a_full_queue
    pool = new_pool(max_queue: 1, on_full: :caller_runs)
    hold, = hold_all(pool)
    pool.dispatch_async([1], Double)
    future = pool.dispatch_async([1, :end_thread, 3], Misbehave)
    assert_predicate future, :ready?
    assert_equal [1, 3], future.value.values_at(0, 2)
    assert_equal "ThreadError", future.value[1].exception_class
    hold.open
  end

  def test_a_hundred_thousand_dispatches_of_one_item
    pool = new_pool
    futures = nil
    within(60) do
      total = 0
      100_000.times.each_slice(5000) do |numbers|
        futures = numbers.map { |n| pool.dispatch_async([n], Double) }
        total += futures.sum { |future| future.value[0] }
      end
      assert_equal 99_999 * 100_000, total
    end
    assert_equal 0, pool.stats[:dispatches][:queued]
  end

  def test_a_dispatch_may_have_a_million_items
    results = within(60) { new_pool.dispatch_async(0...1_000_000, Double).value }
    assert_equal 1_000_000, results.size
    assert_equal 999_999 * 1_000_000, results.sum
  end

  def test_a_giant_dispatch_does_not_hold_up_small_ones
    skip_without_ractors # threads take turns of a tenth of a second
    pool = new_pool
    giant = pool.dispatch_async([1000] * 100_000, Spin) # minutes of work
    within(20) { 20.times { assert_equal [4], pool.dispatch_async([2], Double).value } }
    refute_predicate giant, :ready?
    giant.cancel
  end

  def test_a_pool_without_references_is_collected
    skip_without_ractors
    pool = new_pool
    pool.dispatch_async([1], Double).value(timeout: 5)
    count = -> { 3.times { GC.start } && ObjectSpace.each_object(Ratomic::Workers::Completion).count }
    before = count.call
    50.times { pool.dispatch_async([1, 2, 3], Double) }
    hold = Hold.new
    20.times { pool.dispatch_async([1], hold, timeout: 60) }
    hold.open
    assert_equal [2], pool.dispatch_async([1], Double).value(timeout: 5)
    eventually(10, "the collection of dropped futures") { count.call <= before + 5 }
  end

  # In a thread of its own, whose stack is gone when the collector looks. A few of the pools may keep one: what is left
  # of an old address on the stack of a worker counts as a reference, and Ruby 4.1 soon uses the address again.
  def test_idle_workers_keep_no_dispatch
    skip_without_ractors
    out = ruby!(<<~'RUBY', seconds: 120)
      require "ratomic"
      collected = Array.new(8) do
        kept = Module.new { def self.call(item) = item }
        pool = Ratomic::Workers::Pool.new(size: 2, min_batch: 0)
        Thread.new { 5.times { pool.dispatch_async([1, 2, 3], kept).value(timeout: 20) } }.join
        batches = -> { GC.start || ObjectSpace.each_object(Ratomic::Workers::Batch) }
        8.times.any? { batches.call.none? { |batch| batch.callable.equal?(kept) } || !sleep(0.02) }
      end
      puts collected.count(true)
    RUBY
    assert_operator out.to_i, :>=, 4, "pools of 8"
  end

  def test_a_program_ends_with_work_in_flight
    { "loop" => "loop {}", "sleep" => "sleep",
      "spin" => "1_000_000.times { |i| i.to_s } while true" }.each_value do |body|
      out = ruby!(<<~RUBY, seconds: 15)
        require "ratomic"
        module Work; def self.call(_) = (#{body}); end
        pool = Ratomic::Workers::Pool.new(size: 2)
        future = pool.dispatch_async((1..50).to_a, Work)
        Thread.new { future.value }
        sleep 0.1
        puts "end"
      RUBY
      assert_equal "end\n", out
    end
  end

  def test_nothing_is_printed
    result = ruby(<<~RUBY, seconds: 20)
      require "ratomic"
      module Work; def self.call(item) = item == 1 ? raise("x") : item == 2 ? Thread.exit : Thread.main.kill; end
      pool = Ratomic::Workers::Pool.new(size: 2#{", backend: :thread" unless Ratomic::RACTORS})
      pool.dispatch_async(#{Ratomic::RACTORS ? "[1, 2, 3]" : "[1, 2]"}, Work).value(timeout: 10)
      pool.kill
    RUBY
    assert_predicate result, :success?
    assert_equal ["", ""], [result.out, result.err]
  end

  def test_a_thread_that_is_killed_while_it_starts_a_pool_leaves_none_behind
    skip_without_ractors
    assert_leaves_nothing do
      in_ractor do
        5.times do |n|
          pool = Ratomic::Workers::Pool.new(size: 1)
          starter = Thread.new { pool.start }
          n.times { Thread.pass }
          starter.kill.join
          pool.kill
        end
      end
    end
  end

  def test_a_pool_that_is_started_where_interrupts_are_put_off_can_interrupt_all_the_same
    pools = [*(:ractor if Ratomic::RACTORS), :thread].map { |backend| new_pool(backend: backend) }
    futures = Thread.handle_interrupt(Object => :never) do
      pools.map { |pool| pool.dispatch_async([30, 0], Sleep, item_timeout: ITEM_TIMEOUT_S) }
    end
    futures.each { |future| assert_equal [Ratomic::Workers::Failure, Integer], future.value(timeout: 10).map(&:class) }
    pools.each { |pool| assert_equal 0, pool.stats[:workers][:abandoned] }
  end

  def test_a_coordinator_that_is_killed_goes_on
    pool = new_pool
    pool.dispatch_async([1], Double).value(timeout: 5)
    coordinators = Thread.list.select { |thread| thread.name == "ratomic-coordinator" }
    coordinators.each { |thread| assert thread.kill.join(5) }
    results = pool.dispatch_async([30, 0], Sleep, item_timeout: 0.2).value(timeout: 5)
    assert_equal "Ratomic::Workers::ItemTimeoutError", results[0].exception_class
    assert within(5) { pool.shutdown(timeout: 4) }
  end

  def test_a_coordinator_that_is_interrupted_again_while_it_ends_goes_on
    before = Thread.list
    pool = new_pool(backend: :thread)
    pool.dispatch_async([1], Double).value(timeout: 5)
    coordinator = (Thread.list - before).find { |thread| thread.name == "ratomic-coordinator" }
    ending = TracePoint.new(:call) do |event|
      next unless event.method_id == :watch_over && Thread.current.equal?(coordinator)

      ending.disable
      Thread.new { coordinator.raise(IOError) }.join
    end
    ending.enable
    assert coordinator.kill.join(5)
    results = pool.dispatch_async([30, 0], Sleep, item_timeout: 0.2).value(timeout: 10)
    assert_equal "Ratomic::Workers::ItemTimeoutError", results[0].exception_class
    assert within(5) { pool.shutdown(timeout: 4) }
  ensure
    ending&.disable
  end

  def test_a_coordinator_that_is_killed_while_it_replaces_a_worker_replaces_it
    pool = new_pool(backend: :thread, name: "replacing")
    pool.dispatch_async([1], Double).value(timeout: 5)
    replaced = TracePoint.new(:call) do |event|
      next unless event.method_id == :replace && event.path.end_with?("worker_registry.rb")

      replaced.disable
      Thread.new(Thread.current, &:kill).join
    end
    replaced.enable
    Thread.list.find { |thread| thread.name == "ratomic-replacing-1" }.kill
    eventually { pool.stats[:workers].values_at(:respawns, :alive) == [1, 2] }
    assert within(5) { pool.shutdown(timeout: 4) }
  ensure
    replaced&.disable
  end

  def test_an_idle_pool_costs_no_processor_time
    used = ruby!(<<~RUBY).to_f
      require "ratomic"
      pool = Ratomic::Workers::Pool.new(size: 4, min_batch: 0)
      pool.dispatch_async(["1", "2"], Ratomic::Workers::ParseJSON, timeout: 30).value(timeout: 5)
      sleeping = pool.instance_variable_get(:@cell)[:engine].run_queue.instance_variable_get(:@sleeping)
      sleep 0.01 until sleeping.value == 4
      sleep 0.3
      before = Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID)
      sleep 0.7
      puts Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID) - before
    RUBY
    assert_operator used, :<, 0.02
  end
end
