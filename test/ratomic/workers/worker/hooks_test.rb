# frozen_string_literal: true

require "test_helper"
require "support/per_worker_contract"
require "support/process_ledger"
require "support/shown_errors"
require "support/worker_pools"

class HooksTest < Minitest::Test
  include WorkerCallables
  include WorkerPools
  include ShownErrors

  Workers = Ratomic::Workers
  BACKENDS = [*(:ractor if Ratomic::RACTORS), :thread, *(:process unless Workers::Processes.none?)].freeze

  # Tells who has called it: the number of the worker, and its process and thread.
  class Tell
    def initialize(ledger, name)
      @ledger = ledger
      @name = name
      Ractor.make_shareable(self)
    end

    def call(worker)
      @ledger.note([@name, worker, Process.pid, Thread.current.object_id].join(" "))
      Thread.current[:hooked] = true
    end
  end

  # Which thread runs the items, and whether a hook was here before.
  module Hooked
    def self.call(item)
      sleep(item)
      ["#{Process.pid} #{Thread.current.object_id}", Thread.current[:hooked]]
    end
  end

  HookError = Class.new(StandardError)

  # A hook that goes wrong.
  class Bad
    def initialize(way)
      @way = way
      Ractor.make_shareable(self)
    end

    def call(_worker)
      case @way
      when :raise then raise(KeyError, "no such key")
      when :show then raise(HookError, "in the hook")
      else Thread.exit
      end
    end
  end

  # Tells, and ends the thread.
  class Leave < Tell
    def call(worker)
      super
      Thread.exit
    end
  end

  # Tells, and never returns.
  class Wait < Tell
    def call(one)
      super
      sleep
    end
  end

  # The object of a worker at its end.
  class TellLast
    def initialize(tool, ledger)
      @tool = tool
      @ledger = ledger
      Ractor.make_shareable(self)
    end

    def call(_worker)
      @ledger.note("#{Process.pid} #{@tool.here&.use(:end)&.at(1)}")
    end
  end

  BACKENDS.each do |backend|
    define_method("test_#{backend}s_call_them_in_the_thread_that_runs_items") do
      with_ledger do |ledger|
        pool = new_pool(size: 1, backend: backend, **tellers(ledger))
        id, hooked = within(10) { pool.dispatch_async([0], Hooked).value(timeout: 8) }[0]
        assert_equal [true, ["start 1 #{id}"]], [hooked, ledger.words]
        assert pool.shutdown(timeout: 10)
        assert_equal ["start 1 #{id}", "stop 1 #{id}"], ledger.words
      end
    end

    define_method("test_#{backend}s_are_started_and_stopped_once_each") do
      with_ledger do |ledger|
        pool = new_pool(size: 2, backend: backend, **tellers(ledger)).start
        within(20) { 5.times { pool.dispatch_async([0.005] * 8, Hooked).value(timeout: 15) } }
        assert pool.shutdown(timeout: 10)
        words = ledger.words.map(&:split)
        assert_equal [%w[start 1], %w[start 2], %w[stop 1], %w[stop 2]], words.map { |all| all.first(2) }.sort
        assert_equal 2, words.map { |_, *who| who }.uniq.size
      end
    end

    define_method("test_#{backend}s_make_the_object_of_a_per_worker_at_their_start") do
      with_ledger do |ledger|
        tool = Workers.per_worker(PerWorkerContract::MakeTool, call: :use)
        before = PerWorkerContract::Tool.made
        pool = new_pool(size: 2, backend: backend, on_worker_start: [tool, Tell.new(ledger, :start)])
        pool.start
        eventually { ledger.words.size == 2 }
        assert_equal 2, PerWorkerContract::Tool.made - before
        assert_equal 1, within(10) { pool.dispatch_async([:a], tool).value(timeout: 8) }[0][1]
        assert_equal 2, PerWorkerContract::Tool.made - before
      end
    end

    define_method("test_#{backend}s_close_the_object_of_a_per_worker_at_their_end") do
      with_ledger do |ledger|
        tool = Workers.per_worker(PerWorkerContract::MakeTool, call: :use)
        pool = new_pool(size: 1, backend: backend, on_worker_start: tool, on_worker_stop: TellLast.new(tool, ledger))
        within(10) { pool.dispatch_async([1, 2], tool).value(timeout: 8) }
        assert pool.shutdown(timeout: 10)
        assert_equal ["3"], (ledger.words.map { |word| word.split[1] })
      end
    end

    define_method("test_#{backend}s_work_on_when_one_fails") do
      pool = new_pool(size: 1, backend: backend, on_worker_start: Bad.new(:raise), on_worker_stop: Bad.new(:raise))
      assert_equal [2], within(10) { pool.dispatch_async([1], Double).value(timeout: 8) }
      assert_equal 1, pool.stats[:troubles][:count]
      assert_match(/KeyError: no such key/, pool.stats[:troubles][:last].keys.join) if pool.stats[:troubles][:last]
      assert pool.shutdown(timeout: 10)
      assert_equal 2, pool.stats[:troubles][:count]
    end

    define_method("test_#{backend}s_work_on_when_one_ends_its_thread") do
      pool = new_pool(size: 1, backend: backend, on_worker_start: Bad.new(:exit))
      assert_equal [2, 4], within(15) { pool.dispatch_async([1, 2], Double).value(timeout: 12) }
      assert_equal [1, 0], pool.stats[:workers].values_at(:runners_replaced, :respawns)
    end

    define_method("test_#{backend}s_end_when_one_ends_its_thread_at_the_end") do
      with_ledger do |ledger|
        pool = new_pool(size: 1, backend: backend, on_worker_stop: Leave.new(ledger, :stop))
        assert_equal [2], within(10) { pool.dispatch_async([1], Double).value(timeout: 8) }
        assert pool.shutdown(timeout: 10)
        assert_equal ["stop"], (ledger.words.map { |word| word.split[0] })
      end
    end

    define_method("test_#{backend}s_that_are_killed_in_an_item_are_not_stopped") do
      with_ledger do |ledger|
        pool = new_pool(size: 1, backend: backend, **tellers(ledger))
        future = pool.dispatch_async([1], Wait.new(ledger, :item))
        eventually { ledger.words.size == 2 }
        within(20) { pool.kill }
        assert_equal ["Ratomic::Workers::ShutdownError"], within(10) { future.value }.map(&:exception_class)
        assert_equal %w[start item], (ledger.words.map { |word| word.split[0] })
      end
    end
  end

  def test_an_error_of_a_hook_is_shown_once
    pool = new_pool(size: 2, backend: :thread, name: "hooked", on_worker_stop: Bad.new(:show))
    pool.start
    assert_shown(HookError, /on_worker_stop: of the pool hooked: .*hooks_test.rb/) do
      assert pool.shutdown(timeout: 10)
    end
    assert_equal 2, pool.stats[:troubles][:count]
  end

  def test_an_error_of_a_hook_in_a_ractor_is_shown_once
    skip_without_ractors
    result = assert_success(ruby(<<~RUBY, seconds: 60))
      require "ratomic"
      module Hook; def self.call(_worker) = raise(KeyError, "in the hook"); end
      module Work; def self.call(item) = item; end
      pool = Ratomic::Workers::Pool.new(size: 2, name: "hooked", on_worker_start: Hook)
      p pool.dispatch_async([1, 2], Work, sequential: true).value(timeout: 10)
      p pool.shutdown(timeout: 10)
    RUBY
    assert_equal "[1, 2]\ntrue\n", result.out
    line = "ratomic: an error in on_worker_start: of the pool hooked: KeyError"
    assert_equal 1, result.err.scan(line).size, result.err
  end

  # Of a process that is replaced in order both are called, and so for each that comes after it.
  def test_a_process_that_is_recycled_is_stopped_and_the_next_one_started
    skip_without_fork
    with_ledger do |ledger|
      pool = new_pool(size: 1, backend: :process, recycle_after: 2, **tellers(ledger))
      pids = within(20) { Array.new(6) { pool.map([0], Hooked)[0][0].to_i } }
      assert pool.shutdown(timeout: 10)
      told = ledger.words.map(&:split)
      assert_equal pids.uniq.flat_map { |pid| [["start", pid.to_s], ["stop", pid.to_s]] },
                   (told.map { |what, _, pid| [what, pid] })
      assert_equal [3, ["1"]], [pids.uniq.size, (told.map { |_, worker| worker }).uniq]
    end
  end

  # Ends its process the first time.
  class Die < Tell
    def call(worker)
      super
      exit!(3) if @ledger.words.size == 1
    end
  end

  def test_a_process_that_dies_in_a_hook_is_replaced_and_the_item_runs
    skip_without_fork
    with_ledger do |ledger|
      pool = new_pool(size: 1, backend: :process, on_worker_start: Die.new(ledger, :start))
      assert_equal [2], within(20) { pool.dispatch_async([1], Double).value(timeout: 15) }
      assert_equal 2, ledger.words.size
    end
  end

  # Takes longer than an item may.
  class Slow < Tell
    def call(worker)
      super
      sleep(Waiting::ITEM_TIMEOUT_S + 0.4)
    end
  end

  def test_the_time_of_a_hook_is_no_items_time
    skip_without_fork
    with_ledger do |ledger|
      pool = new_pool(size: 1, backend: :process, on_worker_start: Slow.new(ledger, :start),
                      on_worker_stop: Tell.new(ledger, :stop))
      assert_equal [2], within(20) { pool.dispatch_async([1], Double, item_timeout: ITEM_TIMEOUT_S).value(timeout: 15) }
      assert pool.shutdown(timeout: 10)
      assert_equal %w[start stop], (ledger.words.map { |word| word.split[0] })
    end
  end

  # Of an item that the process has to be younger for.
  module Number
    def self.call(item)
      item.is_a?(Integer) ? item : item.number
    end
  end

  def test_the_time_of_the_hooks_of_a_replaced_process_is_no_items_time
    skip_without_fork
    with_ledger do |ledger|
      pool = new_pool(size: 1, backend: :process, on_worker_start: Slow.new(ledger, :start),
                      on_worker_stop: Slow.new(ledger, :stop))
      assert_equal [1], within(20) { pool.dispatch_async([1], Number).value(timeout: 15) }
      self.class.const_set(:Later, Struct.new(:number))
      second = pool.dispatch_async([Later.new(2)], Number, item_timeout: ITEM_TIMEOUT_S)
      assert_equal [2], within(20) { second.value(timeout: 15) }
      assert_equal %w[start stop start], (ledger.words.map { |word| word.split[0] })
    end
  ensure
    self.class.send(:remove_const, :Later) if self.class.const_defined?(:Later)
  end

  def test_a_hook_that_does_not_end_keeps_no_pool_from_being_killed
    skip_without_fork
    %i[on_worker_start on_worker_stop].each do |moment|
      with_ledger do |ledger|
        pool = new_pool(size: 1, backend: :process, moment => Wait.new(ledger, :begun))
        future = pool.dispatch_async([1], Double)
        assert_equal [2], within(10) { future.value(timeout: 8) } if moment == :on_worker_stop
        refute pool.shutdown(timeout: 0.1)
        eventually { ledger.words.size == 1 }
        within(20) { pool.kill }
        eventually { !running?(ledger.words[0].split[2].to_i) }
      end
    end
  end

  def test_a_block_with_constants_may_be_one
    skip_without_ractors
    told = TOLD
    pool = new_pool(size: 1, on_worker_start: proc { |worker| TOLD[:block] = worker })
    within(10) { pool.dispatch_async([1], Double).value(timeout: 8) }
    assert_equal 1, told[:block]
  end

  # What a worker has told.
  TOLD = Ratomic::Map.new

  def test_an_object_that_cannot_be_a_hook_is_refused
    assert_raises(Workers::CallableError) { Workers::Pool.new(on_worker_start: 5) }
    with_ledger do |ledger|
      assert_raises(Workers::CallableError) do
        Workers::Pool.new(on_worker_stop: [Tell.new(ledger, :stop), Object.new])
      end
    end
  end

  def test_a_pool_is_shareable_with_them
    with_ledger { |ledger| assert Ractor.shareable?(Workers::Pool.new(on_worker_start: Tell.new(ledger, :start))) }
  end

  private

  def running?(pid)
    Process.kill(0, pid) && true
  rescue Errno::ESRCH
    false
  end

  # Whoever notes something in it has ended before it goes.
  def with_ledger
    ProcessLedger.within do |ledger|
      yield ledger
    ensure
      @pools.each(&:kill)
    end
  end

  def tellers(ledger)
    { on_worker_start: Tell.new(ledger, :start), on_worker_stop: Tell.new(ledger, :stop) }
  end
end
