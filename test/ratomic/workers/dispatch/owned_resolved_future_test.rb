# frozen_string_literal: true

require "test_helper"

class OwnedResolvedFutureTest < Minitest::Test
  Workers = Ratomic::Workers

  def setup
    @results = [+"a", Workers::Failure.new(1, "KeyError", "no such key")]
    @future = Workers::OwnedResolvedFuture.new(@results, Workers::TakeOnce.new)
  end

  def test_it_has_the_very_results_once
    assert_predicate @future, :ready?
    assert_equal [2, 2], @future.progress.to_a
    assert_same @results, @future.value(timeout: 0)
    assert_equal 2, @future.size
    %i[value value! each each_completed].each do |again|
      assert_raises(Workers::TakenError) { @future.public_send(again) { |*| flunk } }
    end
  end

  def test_value_bang_raises_the_first_failure_and_takes_nothing
    assert_raises(Workers::ItemError) { @future.value! }
    assert_equal [[@results[0], 0], [@results[1], 1]], @future.each_completed.to_a
  end

  def test_it_yields_as_every_future_does
    assert_equal 2, @future.each.size
    assert_equal @results, @future.each.to_a
  end

  def test_a_wrong_timeout_takes_nothing
    %i[value value! each each_completed].each do |method|
      assert_raises(ArgumentError) { @future.public_send(method, timeout: -1) { |*| flunk } }
    end
    assert_same @results, @future.value
  end
end
