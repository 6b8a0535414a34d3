# frozen_string_literal: true

require "test_helper"
require "support/worker_callables"

class BoundedCacheTest < Minitest::Test
  BoundedCache = Ratomic::Workers::BoundedCache
  MOST = BoundedCache::MAX_KEYS

  def setup
    @cache = BoundedCache.new
  end

  def test_it_keeps_what_was_noted
    @cache["a"] = 1
    @cache["a"] = 2
    @cache["b"] = 3
    @cache.delete("b")
    assert_equal [2, nil, { "a" => 2 }], [@cache["a"], @cache["b"], @cache.to_h]
    assert Ractor.shareable?(@cache)
  end

  def test_a_full_cache_forgets_the_older_half_except_keys_that_were_read
    (1..MOST).each { |key| @cache[key] = key }
    assert_equal MOST, @cache.to_h.size
    assert_equal 2, @cache[2]
    (1..(MOST / 2)).each { |key| @cache[-key] = key }
    assert_operator @cache.to_h.size, :<=, MOST
    assert_equal [nil, 2, nil, 1], [1, 2, 3, -1].map { |key| @cache[key] }
  end

  def test_a_key_that_is_read_now_and_then_is_never_forgotten
    @cache[:hot] = 1
    (1..(MOST * 5)).each { |key| (@cache[key] = key) && @cache[:hot] }
    assert_equal 1, @cache[:hot]
    @cache.delete(:hot)
    assert_nil @cache[:hot]
  end

  def test_the_first_sample_is_the_moving_average
    assert_nil @cache[:key]
    assert_in_delta 100.0, @cache.average(:key, 100.0)
    assert_in_delta 100.0, @cache[:key]
  end

  def test_a_new_sample_has_its_share_in_the_moving_average
    @cache.average(:key, 100.0)
    assert_in_delta 100.0 + (100.0 * BoundedCache::SAMPLE_WEIGHT), @cache.average(:key, 200.0)
    60.times { @cache.average(:key, 500.0) }
    assert_in_delta 500.0, @cache[:key], 0.01
  end

  def test_each_key_has_a_moving_average_of_its_own
    @cache.average(:key, 1.0)
    @cache.average(:other, 2.0)
    assert_equal({ key: 1.0, other: 2.0 }, @cache.to_h)
    assert Ractor.shareable?(@cache)
  end

  def test_callables_that_are_made_anew_for_each_dispatch_are_not_kept_for_ever
    pool = Ratomic::Workers::Pool.new(size: 1, min_batch: 0)
    (MOST + 100).times do
      callable = Class.new { def call(item) = item }.new.freeze
      assert_equal [1], pool.dispatch_async([1], callable).value(timeout: 5)
    end
    assert_operator pool.stats[:costs].size, :<=, MOST
  ensure
    pool.kill
  end
end
