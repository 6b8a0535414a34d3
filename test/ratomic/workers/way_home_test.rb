# frozen_string_literal: true

require "test_helper"
require "support/worker_callables"

class WayHomeTest < Minitest::Test
  include WorkerCallables

  def way(items, callable = Spin, **options)
    backend = Ratomic::RACTORS ? :ractor : :thread
    pool = Ratomic::Workers::Pool.new(size: 2, backend: backend, name: "ways", results: :owned, **options)
    yield pool if block_given?
    pool.explain(items, callable)
  ensure
    pool&.kill
  end

  def test_it_says_that_results_are_frozen_where_nothing_else_was_asked_for
    explanation = Ratomic::Workers::Pool.new(size: 2).explain([1], Double)
    assert_equal %i[frozen frozen], explanation.to_h[:results].values_at(:mode, :way)
    assert_match(/^results: frozen: made shareable/, explanation.to_s)
  end

  def test_threads_leave_them_as_they_are
    explanation = Ratomic::Workers::Pool.new(size: 2, backend: :thread).explain([1], Double, results: :owned)
    assert_equal %i[owned in_place], explanation.to_h[:results].values_at(:mode, :way)
  end

  def test_it_says_what_would_be_before_anything_is_known
    skip_without_ractors
    assert_equal :unknown, way([1]).to_h[:results][:way]
  end

  def test_the_learnt_cost_decides
    skip_without_ractors
    known = lambda do |pool|
      engine = pool.start.instance_variable_get(:@cell)[:engine]
      # Of an item that weighs 64: 64 microseconds.
      40.times { engine.costs.learn(Ratomic::Workers::Callable.key(Spin), 64, 64_000, 1) }
    end
    assert_equal :by_caller, way([1], &known).to_h[:results][:way]
    far = way([1] * 1000, &known)
    assert_equal :handed_over, far.to_h[:results][:way]
    assert_match(/^results: owned, handed over: a worker's share takes about 32.00 ms; from/, far.to_s)
  end

  def test_small_results_of_callables_that_callers_may_not_run_are_copied
    skip_without_ractors
    explanation = way([1, 1]) do |pool|
      engine = pool.start.instance_variable_get(:@cell)[:engine]
      engine.costs.learn(Ratomic::Workers::Callable.key(Spin), 64, 64_000, 1)
    end
    assert_equal :copied, explanation.to_h[:results][:way]
  end
end
