# frozen_string_literal: true

require "test_helper"
require "support/learnt_costs"
require "support/worker_callables"

class ExplanationTest < Minitest::Test
  def test_it_takes_the_items_that_a_dispatch_takes
    each_only = Class.new { def each = yield(1) }.new
    assert_equal 1, Ratomic::Workers.explain(each_only, Ratomic::Workers::ParseJSON).to_h[:items][:count]
    assert_raises(TypeError) { Ratomic::Workers.explain(5, Ratomic::Workers::ParseJSON) }
  end

  def test_it_explains_no_dispatch_without_a_callable
    [Ratomic::Workers, @pool].each do |explaining|
      error = assert_raises(ArgumentError) { explaining.explain([1]) }
      assert_match(/explain\(items, callable\)/, error.message)
    end
  end

  include LearntCosts
  include WorkerCallables

  module Reads
    LIST = [1, [2]] # rubocop:disable Style/MutableConstant -- what is to be found

    def self.call(item)
      LIST.index(item)
    end
  end

  def setup
    @pool = Ratomic::Workers::Pool.new(size: 2, min_batch: 0)
  end

  def teardown
    @pool.kill
  end

  def test_it_says_what_would_be_shared_copied_and_refused
    found = @pool.explain([1, "frozen".dup.freeze, +"mutable", $stdin], Double).to_h
    assert_equal [4, 2, 1, 1], found[:items].values_at(:count, :shared, :copied, :refused)
    assert_match(/IO/, found[:items][:reasons].first)
    assert_equal [true, nil, []], found[:callable].values_at(:shareable, :refused, :findings)
    refute_predicate $stdin, :frozen?
  end

  def test_it_says_what_stands_in_the_way
    pool = Ratomic::RACTORS ? @pool : Ratomic::Workers::Pool.new(backend: :inline) # as strict as Ractors
    explanation = pool.explain([1], Reads)
    refute_predicate explanation, :ok?
    assert_equal [%w[constant LIST]], explanation.to_h[:callable][:findings].map { |f| f.values_at(:kind, :name) }
    assert_match(/in the way: constant LIST/, explanation.to_s)
    assert_match(/@io|not frozen|is not shareable/, pool.explain([1], Object.new.tap { |o| def o.call(_); end }).to_s)
    assert_match(/no method `call`/, pool.explain([1], 3).to_s)
    assert_predicate pool.explain([1], Double), :ok?
  end

  def test_threads_may_run_what_ractors_may_not
    pool = Ratomic::Workers::Pool.new(backend: :thread)
    seen = []
    explanation = pool.explain([1], ->(item) { seen << item })
    assert_predicate explanation, :ok?
    assert_equal [false, nil], explanation.to_h[:callable].values_at(:shareable, :refused)
    assert_predicate pool.explain([1], Reads), :ok?
    assert_equal 0, refs_kept
    refute_predicate pool.explain([1], 3), :ok?
  end

  def test_it_says_which_way_of_a_large_dispatch_was_measured_to_be_faster
    pool = Ratomic::Workers::Pool.new(size: 2, **(Ratomic::RACTORS ? {} : { backend: :process })).start
    chooser = costs(pool).deferral_chooser(false)
    key = Ratomic::Workers::Callable.key(Double)
    pretend(key, 1_000_000, pool)
    assert_nil pool.explain([1] * 10, Double).to_h[:estimate][:seconds_by_waiter]
    3.times { [chooser.learn_caller(key, 3_000_000, 640), chooser.learn_pool(key, 9_000_000, 640)] }
    explanation = pool.explain([1] * 10, Double)
    assert_equal [0.003, 0.009], explanation.to_h[:estimate].values_at(:seconds_by_waiter, :seconds_by_workers)
    assert_match(/measured: 3.000 ms by the thread that asks .* 9.000 ms by the workers.*; that thread runs it/,
                 explanation.to_s)
    refute_match(/by the thread that asks/, pool.explain([1], Double).to_s)
  ensure
    pool&.kill
  end

  def test_it_estimates_whether_the_pool_pays_once_it_has_measured
    refute @pool.explain([1000] * 1000, Spin).to_h[:estimate][:measured]
    assert_match(/not measured yet/, @pool.explain([1], Spin).to_s)
    @pool.dispatch_async([1000] * 20, Spin).wait(timeout: 10)
    estimate = @pool.explain([1000] * 1000, Spin).to_h[:estimate]
    assert estimate[:measured]
    assert_operator estimate[:seconds_alone], :>, 0.01
    return unless Ratomic::RACTORS && Etc.nprocessors > 1

    assert estimate[:pays]
    pretend(Double, 100)
    refute @pool.explain([1], Double).to_h[:estimate][:pays]
  end

  def test_no_item_runs
    tally = Tally.new
    @pool.explain([1, 2, 3], tally).to_s
    assert_empty tally.calls
  end
end
