# frozen_string_literal: true

require "test_helper"
require "support/per_worker_contract"
require "support/shown_errors"
require "support/worker_pools"

class HooksTest < Minitest::Test
  include WorkerCallables
  include WorkerPools
  include ShownErrors

  Workers = Ratomic::Workers
  BACKENDS = Ratomic::RACTORS ? %i[ractor thread] : %i[thread]

  # What workers have told.
  TOLD = Ratomic::Map.new

  # Tells that it was called, by which thread.
  class Tell
    def initialize(name)
      @name = name
      Ractor.make_shareable(self)
    end

    def call(worker)
      TOLD[[@name, worker].freeze] = Thread.current.object_id
      Thread.current[:hooked] = true
    end
  end

  # Whether a hook was here before.
  module Hooked
    def self.call(_item)
      [Thread.current.object_id, Thread.current[:hooked]]
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

  def setup
    super
    TOLD.clear
  end

  BACKENDS.each do |backend|
    define_method("test_#{backend}s_call_them_in_the_thread_that_runs_items") do
      pool = new_pool(size: 1, backend: backend, on_worker_start: Tell.new(:start), on_worker_stop: Tell.new(:stop))
      id, hooked = pool.dispatch_async([1], Hooked).value(timeout: 5)[0]
      assert_equal [true, { [:start, 1] => id }], [hooked, TOLD.to_h]
      assert pool.shutdown(timeout: 10)
      assert_equal({ [:start, 1] => id, [:stop, 1] => id }, TOLD.to_h)
    end

    define_method("test_#{backend}s_make_the_object_of_a_per_worker_at_their_start") do
      tool = Workers.per_worker(PerWorkerContract::MakeTool, call: :use)
      before = PerWorkerContract::Tool::MADE.value
      pool = new_pool(size: 2, backend: backend, on_worker_start: [tool, Tell.new(:start)])
      pool.start
      eventually { TOLD.size == 2 }
      assert_equal 2, PerWorkerContract::Tool::MADE.value - before
      assert_equal 1, pool.dispatch_async([:a], tool).value(timeout: 5)[0][1]
    end

    define_method("test_#{backend}s_work_on_when_one_fails") do
      pool = new_pool(size: 1, backend: backend, on_worker_start: Bad.new(:raise), on_worker_stop: Bad.new(:raise))
      assert_equal [2], pool.dispatch_async([1], Double).value(timeout: 5)
      assert_equal 1, pool.stats[:troubles][:count]
      assert pool.shutdown(timeout: 10)
    end

    define_method("test_#{backend}s_work_on_when_one_ends_its_thread") do
      pool = new_pool(size: 1, backend: backend, on_worker_start: Bad.new(:exit))
      assert_equal [2], pool.dispatch_async([1], Double).value(timeout: 10)
      assert_equal 1, pool.stats[:workers][:runners_replaced]
    end
  end

  def test_what_a_hook_raises_is_shown_once
    pool = new_pool(size: 2, backend: :thread, name: "hooked", on_worker_stop: Bad.new(:show))
    pool.start
    assert_shown(HookError, /on_worker_stop: of the pool hooked: .*hooks_test.rb/) do
      assert pool.shutdown(timeout: 10)
    end
    assert_equal 2, pool.stats[:troubles][:count]
  end

  def test_what_a_hook_raises_in_a_ractor_is_shown_once
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

  def test_the_object_of_a_worker_can_be_closed_at_its_end
    skip_without_ractors
    tool = Workers.per_worker(PerWorkerContract::MakeTool, call: :use)
    told = TOLD
    pool = new_pool(size: 1, on_worker_stop: Ractor.shareable_proc { |_| told[:last] = tool.here.use(:end)[1] })
    pool.dispatch_async([1, 2], tool).value(timeout: 5)
    assert pool.shutdown(timeout: 10)
    assert_equal 3, TOLD[:last]
  end

  def test_a_block_with_constants_may_be_one
    skip_without_ractors
    pool = new_pool(size: 1, on_worker_start: proc { |worker| TOLD[:block] = worker })
    pool.dispatch_async([1], Double).value(timeout: 5)
    assert_equal 1, TOLD[:block]
  end

  def test_what_cannot_be_one_is_refused
    assert_raises(Workers::CallableError) { Workers::Pool.new(on_worker_start: 5) }
    assert_raises(Workers::CallableError) { Workers::Pool.new(on_worker_stop: [Tell.new(:stop), Object.new]) }
  end

  def test_a_pool_is_shareable_with_them
    assert Ractor.shareable?(Workers::Pool.new(on_worker_start: Tell.new(:start)))
  end
end
