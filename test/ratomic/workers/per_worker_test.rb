# frozen_string_literal: true

require "test_helper"
require "support/per_worker_contract"
require "support/worker_pools"

class PerWorkerTest < Minitest::Test
  include WorkerPools

  Workers = Ratomic::Workers
  MakeTool = PerWorkerContract::MakeTool

  def test_it_is_shareable_where_its_factory_is
    callable = Workers.per_worker(MakeTool, call: :use)
    assert Ractor.shareable?(callable)
    assert_equal "per worker: PerWorkerContract::MakeTool", callable.to_s
    assert_equal MakeTool, callable.factory
    assert_nil callable.here
    assert_same callable, callable.prepare
  end

  def test_a_block_may_be_the_factory
    skip_without_ractors
    callable = Workers.per_worker(call: :use) { PerWorkerContract::Tool.new }
    assert_equal [1], (new_pool.dispatch_async([:a], callable).value(timeout: 5).map { |_, calls, _| calls })
  end

  def test_an_object_that_cannot_be_a_factory_is_refused
    assert_raises(ArgumentError) { Workers.per_worker }
    assert_raises(ArgumentError) { Workers.per_worker(MakeTool) { 1 } }
    assert_raises(TypeError) { Workers.per_worker(MakeTool, call: "use") }
    assert_raises(Workers::CallableError) { Workers.per_worker(5) }
    skip_without_ractors
    list = []
    assert_raises(Workers::CallableError) { Workers.per_worker { list << 1 } }
    list = nil
  end

  def test_callers_never_run_it
    pool = new_pool(min_batch: :auto)
    callable = Workers.per_worker(MakeTool, call: :use)
    pipeline = Workers.pipeline(callable, WorkerCallables::Make)
    [callable, pipeline].each do |work|
      40.times { pool.dispatch_async([1], work).value(timeout: 5) }
      40.times { pool.dispatch_async([1], work, run: :waiter).value(timeout: 5) }
    end
    assert_equal [0, 0], pool.stats[:dispatches].values_at(:by_caller, :by_waiter)
    assert_includes pool.stats[:callables].map { |known| known[:reason] }, Workers::Stats::PER_WORKER
  end

  def test_explain_names_it
    assert_match(/callable per worker: PerWorkerContract::MakeTool/,
                 new_pool.explain([1], Workers.per_worker(MakeTool)).to_s)
  end

  def test_threads_that_a_caller_makes_have_their_own
    callable = Workers.per_worker(MakeTool, call: :use)
    found = Array.new(4) { Thread.new { callable.call(:item) } }.map(&:value)
    assert_equal [:item] * 4, found.map(&:last)
  end

  def test_a_fork_makes_its_own
    skip "no fork here" unless Process.respond_to?(:fork)
    ended = ruby(<<~RUBY)
      require "ratomic"
      Tool = Struct.new(:number) { def call(_) = self.number ||= Process.pid }
      module Make; def self.call = Tool.new; end
      callable = Ratomic::Workers.per_worker(Make)
      pool = Ratomic::Workers::Pool.new(backend: :inline)
      here = pool.dispatch_async([1], callable).value[0]
      child = fork { exit!(pool.dispatch_async([1], callable).value[0] == Process.pid ? 0 : 1) }
      Process.wait(child)
      puts [$?.exitstatus, here == Process.pid].inspect
    RUBY
    assert_equal "[0, true]\n", ended.out, ended.err
  end

  def test_a_block_that_raises_is_named_once_by_its_place
    parser = Ratomic::Workers.per_worker { raise "no parser" }
    error = assert_raises(Ratomic::Workers::FactoryError) { parser.call("text") }
    assert_match(/\Athe factory [^ ]+per_worker_test\.rb:\d+ raised RuntimeError: no parser/, error.message)
  end
end
