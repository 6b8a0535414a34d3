# frozen_string_literal: true

require "test_helper"
require "json"
require "support/worker_callables"
require "support/worker_pools"

class SnapshotTest < Minitest::Test
  include WorkerCallables
  include WorkerPools

  def snapshot
    Ratomic::Workers::Snapshot.new(Ratomic::Workers::History.new)
  end

  def of(name)
    JSON.parse(snapshot.to_json)["pools"].find { |pool| pool["name"] == name }
  end

  def test_it_is_plain_data_whatever_the_pool_met
    pool = new_pool(name: "odd \xff")
    context = Ractor.make_shareable({ "\xff" => [Object.new.freeze, Float::INFINITY, 2**70] })
    pool.dispatch_async(["\xff\xfe", :raise_error, :overflow_stack], Misbehave, context: context).value
    found = of("odd \uFFFD")
    assert_equal [3, 2], [found["items"]["finished"], found["last_failures"].size]
    expected = "{#{"\uFFFD".inspect} => [#<Object>, Infinity, #{2**70}]}"
    assert_equal expected, found["last_failures"]["KeyError"][0]["context"]
    assert_equal 3, found["latency"].values_at("p50", "p95", "p99").size
  end

  def test_it_tells_of_the_process
    told = snapshot.to_h
    assert_equal [Process.pid, Ratomic::VERSION, "ruby #{RUBY_VERSION}"], told.values_at(:pid, :ratomic, :ruby)
  end

  def test_a_pool_that_ended_is_not_there
    pool = new_pool(name: "gone").start
    assert of("gone")
    pool.shutdown
    assert_nil of("gone")
  end
end
