# frozen_string_literal: true

require "test_helper"
require "support/worker_callables"

class ResolvedFutureTest < Minitest::Test
  def setup
    @results = [1, Ratomic::Workers::Failure.new(1, "KeyError", "no such key")].freeze
    @future = Ratomic::Workers::ResolvedFuture.new(@results)
  end

  def test_it_has_the_results_at_once
    assert_predicate @future, :ready?
    assert @future.wait(timeout: 0)
    assert_same @results, @future.value(timeout: 0)
    assert_equal [2, 2], @future.progress.to_a
  end

  def test_it_raises_the_first_failure_when_asked_to
    error = assert_raises(Ratomic::Workers::ItemError) { @future.value! }
    assert_match(/no such key/, error.message)
  end

  def test_it_yields_as_every_future_does
    completed = []
    @future.each_completed { |result, index| completed << [index, result] }
    assert_equal [[0, @results[0]], [1, @results[1]]], completed
    assert_equal @results, @future.each.to_a
    assert_equal 2, @future.each.size
  end

  def test_a_wrong_timeout_is_refused_as_by_every_future
    [@future, ordinary].each do |future|
      %i[value value! wait each each_completed].each do |method|
        [-1, Float::NAN].each do |wrong|
          assert_raises(ArgumentError) { future.public_send(method, timeout: wrong) { |*| flunk } }
        end
        assert_raises(TypeError) { future.public_send(method, timeout: "1") { |*| flunk } }
      end
    end
  end

  def ordinary
    pool = Ratomic::Workers::Pool.new(size: 1, backend: :inline)
    pool.dispatch_async([1, 2], WorkerCallables::Double)
  end

  def test_there_is_nothing_left_to_cancel
    refute @future.cancel
    refute_predicate @future, :cancelled?
  end

  def test_it_goes_to_another_ractor
    assert Ractor.shareable?(@future)
  end
end
