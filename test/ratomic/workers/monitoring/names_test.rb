# frozen_string_literal: true

require "test_helper"
require "support/learnt_costs"
require "support/worker_callables"

# What `as:` names.
class NamesTest < Minitest::Test
  include LearntCosts
  include WorkerCallables

  Workers = Ratomic::Workers

  # As the adapters of libraries are: one class, and an object for each dispatch.
  class Adapter
    def initialize(work)
      @work = work
      Ractor.make_shareable(self)
    end

    def call(item)
      @work.call(item)
    end
  end

  # Fails in a Ractor only.
  module Reads
    LIST = [+"text"] # rubocop:disable Style/MutableConstant -- what is not shareable

    def self.call(item)
      LIST[0] && item
    end
  end

  # Says which thread ran it.
  module Where
    def self.call(_item)
      Thread.current.object_id
    end
  end

  def setup
    @pool = Workers::Pool.new(size: 2)
    @pool.start
  end

  def teardown
    @pool.kill
  end

  def me
    Thread.current.object_id
  end

  def test_costs_of_one_adapter_do_not_count_for_another
    pretend(Workers::Callable.key(Adapter.new(Double)), 100)
    refute_includes @pool.dispatch_async([1] * 50, Adapter.new(Where)).value(timeout: 5), me
  end

  def test_costs_are_kept_by_name_whatever_the_callable_object
    ["orders", :orders].each do |name|
      pretend("orders", 100)
      assert_equal [me] * 2, @pool.dispatch_async([1, 2], Adapter.new(Where), as: name).value(timeout: 5)
    end
    refute_includes @pool.dispatch_async([1, 2], Adapter.new(Where), as: "payments").value(timeout: 5), me
  end

  def test_one_object_under_two_names_has_two_costs
    adapter = Adapter.new(Where)
    pretend("orders", 100)
    costs.mark_caller_unsafe("payments")
    pretend("payments", 100)
    assert_equal [me], @pool.dispatch_async([1], adapter, as: "orders").value(timeout: 5)
    refute_includes @pool.dispatch_async([1], adapter, as: "payments").value(timeout: 5), me
    refute costs.caller_runs_cache.take(adapter, [1].freeze), "the cache goes by the object alone"
  end

  def test_the_isolation_error_of_one_topic_leaves_the_others_alone
    skip_without_ractors
    good, bad = %w[good bad].each { |name| pretend(name, 100) }
    results = @pool.dispatch_async([1], Adapter.new(Reads), as: bad, min_batch: 0).value(timeout: 5)
    assert_equal "Ractor::IsolationError", results[0].exception_class
    assert costs.caller_unsafe?(bad)
    refute costs.caller_unsafe?(good)
    pretend(good, 100)
    assert_equal [me], @pool.dispatch_async([1], Adapter.new(Where), as: good).value(timeout: 5)
  end

  def test_statistics_events_and_prometheus_tell_the_name
    queue = Ratomic::Queue.new(64)
    @pool.subscribe(queue)
    @pool.dispatch_async([1, :raise_error], Misbehave, as: "or\"ders").wait(timeout: 5)
    @pool.dispatch_async([1], Double).wait(timeout: 5)
    orders = @pool.stats[:names].fetch("or\"ders")
    assert_equal [1, 0, 2, 1], orders.values_at(:dispatches, :by_caller, :items, :failures)
    assert_operator orders[:seconds], :>, 0
    assert_equal 1, @pool.stats[:names].size
    assert_includes @pool.stats[:costs].keys, "or\"ders"
    events = queue.pop_many(64, timeout: 5).select(&:dispatch)
    assert_equal ["or\"ders", nil], events.map(&:as).uniq
    assert_equal "or\"ders", events[0].to_h[:as]
    refute_includes events.last.to_h.keys, :as
    assert_match(/named_items_total\{.*,as="or\\"ders"\} 2$/, @pool.to_prometheus)
  end

  def test_dispatches_that_the_caller_runs_are_counted_by_name_as_well
    pretend("here", 100)
    results = @pool.dispatch_async([1, :raise_error], Misbehave, as: "here").value(timeout: 5)
    assert_equal [1, 1, 2, 1], @pool.stats[:names]["here"].values_at(:dispatches, :by_caller, :items, :failures)
    assert_equal "KeyError", results[1].exception_class
    assert_equal "here", @pool.stats[:last_failures]["KeyError"][0][:callable]
  end

  def test_map_stream_reduce_and_a_pool_have_names_too
    assert_equal [2], @pool.map([1], Double, as: "map")
    assert_equal [2, 4], @pool.stream([1, 2], Double, as: "stream").to_a
    assert_equal 6, @pool.reduce([1, 2], Double, as: "reduce", initial: 0) { |sum, item| sum + item }.sum
    assert_equal %w[map reduce stream], @pool.stats[:names].keys.sort
    assert_includes @pool.stats[:costs].keys, "reduce of reduce"
    named = Workers::Pool.new(size: 1, as: :mine)
    named.dispatch_async([1], Double).wait(timeout: 5)
    assert_equal ["mine"], named.stats[:names].keys
    assert_equal "mine", named.explain([1], Double).to_h[:callable][:as]
    assert_match(/as other/, named.explain([1], Double, as: :other).to_s)
  ensure
    named&.kill
  end

  def test_cancelled_items_are_failures_of_their_name
    hold = Hold.new
    future = @pool.dispatch_async([1, 2, 3], hold, as: "held", sequential: true)
    eventually { hold.begun.value == 1 }
    future.cancel
    assert_equal 3, @pool.stats[:names]["held"][:failures]
  ensure
    hold.open
  end

  def test_the_number_of_names_is_limited
    names = Workers.const_get(:Names).new
    most = Workers::Names::MAX_NAMES
    (most + 50).times { |number| names.begin("name #{number}".freeze) }
    counts = names.to_h
    assert_equal most + 1, counts.size
    assert_equal 50, counts[Workers::Names::OTHER][:dispatches]
    assert Ractor.shareable?(names)
  end

  def test_a_name_of_another_type_is_refused
    assert_raises(TypeError) { @pool.dispatch_async([1], Double, as: 5) }
    assert_raises(ArgumentError) { @pool.dispatch_async([1], Double, as: "") }
  end
end
