# frozen_string_literal: true

require "test_helper"
require "support/worker_callables"

class BoundedCacheTest < Minitest::Test
  def setup
    @notebook = Ratomic::Workers::BoundedCache.new
  end

  def test_it_keeps_what_was_noted
    @notebook["a"] = 1
    @notebook["a"] = 2
    @notebook["b"] = 3
    @notebook.delete("b")
    assert_equal [2, nil, { "a" => 2 }], [@notebook["a"], @notebook["b"], @notebook.to_h]
    assert Ractor.shareable?(@notebook)
  end

  MOST = Ratomic::Workers::BoundedCache::MAX_KEYS

  def test_of_a_full_one_the_older_half_is_forgotten_but_for_what_was_looked_up
    (1..MOST).each { |key| @notebook[key] = key }
    assert_equal MOST, @notebook.to_h.size
    assert_equal 2, @notebook[2]
    (1..(MOST / 2)).each { |key| @notebook[-key] = key }
    assert_operator @notebook.to_h.size, :<=, MOST
    assert_equal [nil, 2, nil, 1], [1, 2, 3, -1].map { |key| @notebook[key] }
  end

  def test_what_is_looked_up_now_and_then_is_never_forgotten
    @notebook[:hot] = 1
    (1..(MOST * 5)).each { |key| (@notebook[key] = key) && @notebook[:hot] }
    assert_equal 1, @notebook[:hot]
    @notebook.delete(:hot)
    assert_nil @notebook[:hot]
  end

  def test_callables_that_are_made_anew_for_each_dispatch_are_not_kept_for_ever
    pool = Ratomic::Workers::Pool.new(size: 1, min_batch: 0)
    (Ratomic::Workers::BoundedCache::MAX_KEYS + 100).times do
      callable = Class.new { def call(item) = item }.new.freeze
      assert_equal [1], pool.dispatch_async([1], callable).value(timeout: 5)
    end
    assert_operator pool.stats[:costs].size, :<=, Ratomic::Workers::BoundedCache::MAX_KEYS
  ensure
    pool.kill
  end
end
