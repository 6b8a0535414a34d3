# frozen_string_literal: true

require "test_helper"

class SparseFutureTest < Minitest::Test
  Workers = Ratomic::Workers

  def setup
    @failure = Workers::Failure.new(3, "KeyError", "no key")
    folded = Workers.const_get(:FOLDED)
    @future = Workers::SparseFuture.new([:a, Workers::DROPPED, :c, @failure, folded])
  end

  def test_it_has_what_was_kept_and_where_it_stood
    assert_equal [[:a, :c, @failure], [0, 2, 3]], [@future.value(timeout: 0), @future.indices]
    assert_equal [1, 5, [5, 5]], [@future.dropped, @future.size, @future.progress.to_a]
    assert_equal 5, @future.slots.size
    assert Ractor.shareable?(@future)
    assert_equal 3, assert_raises(Workers::ItemError) { @future.value! }.failure.index
  end

  def test_it_yields_what_was_kept
    assert_equal [:a, :c, @failure], @future.each.to_a
    assert_equal [[:a, 0], [:c, 2], [@failure, 3]], @future.each_completed.to_a
    assert_equal [3, 3], [@future.each.size, @future.each_completed.size]
  end
end
