# frozen_string_literal: true

require "test_helper"

class CallerRunsCacheTest < Minitest::Test
  # A callable that is an object.
  class Callable
    def initialize
      Ractor.make_shareable(self)
    end

    def call(item)
      item
    end
  end

  # An item that says itself what it weighs.
  class Heavy
    def bytesize
      1_000_000
    end
  end

  # One that may have whatever it is asked for.
  class Anything < Callable
    def respond_to_missing?(*)
      true
    end
  end

  Plain = Struct.new(:list)
  Weighing = Struct.new(:bytesize)

  ITEM = Ratomic::Workers::WorkEstimate::ITEM_WEIGHT

  def setup
    @caller_runs_cache = Ratomic::Workers::CallerRunsCache.new
  end

  def grant(limit: ITEM, uses: 1000)
    @caller_runs_cache.grant(Comparable, 1, limit, uses)
  end

  def test_an_entry_is_good_for_its_number_of_dispatches
    assert_nil @caller_runs_cache.take(Comparable, [1].freeze)
    grant(uses: 3)
    taken = Array.new(5) { @caller_runs_cache.take(Comparable, [1].freeze) }
    assert_equal [Integer] * 3 + [NilClass] * 2, taken.map(&:class)
    assert_equal taken.first(3).sort, taken.first(3), "the time at which the caller began"
  end

  # The caller asks again, with a snapshot of it.
  def test_a_list_that_is_not_frozen_takes_no_use
    grant(uses: 1)
    refute @caller_runs_cache.take(Comparable, [1])
    assert @caller_runs_cache.take(Comparable, [1].freeze)
    refute @caller_runs_cache.take(Comparable, [1].freeze)
  end

  def test_items_that_weigh_too_much_have_none
    grant(limit: 2 * ITEM)
    assert @caller_runs_cache.take(Comparable, [1, 2].freeze)
    refute @caller_runs_cache.take(Comparable, [1, 2, 3].freeze)
    assert @caller_runs_cache.take(Comparable, ["x" * ITEM].freeze.each(&:freeze))
    refute @caller_runs_cache.take(Comparable, ["x" * (ITEM + 1)].freeze.each(&:freeze))
  end

  def test_an_estimate_is_that_of_weight
    [[1, nil, :a, 1.5, 2**80], ["a" * 100, "b"], [%w[nested strings], { "in" => "a hash" }],
     [Plain.new([1]), Callable.new], []].each do |items|
      items = Ractor.make_shareable(items)
      weight = items.empty? ? 0 : Ratomic::Workers::WorkEstimate.of(items)
      grant(limit: weight)
      assert @caller_runs_cache.take(Comparable, items), items.inspect
      grant(limit: weight - 1)
      refute @caller_runs_cache.take(Comparable, items), items.inspect
    end
  end

  def test_only_plain_shareable_items_have_one
    grant(limit: 10**9)
    [Anything.new, Weighing.new(1)].each do |item|
      refute @caller_runs_cache.take(Comparable, Ractor.make_shareable([item]))
      refute @caller_runs_cache.take(Comparable, Ractor.make_shareable([Callable.new, item])), "after another class"
    end
    [[1], [+"text"].freeze, [[]].freeze, [Heavy.new.freeze].freeze, [$stdout].freeze, 1..2, nil, { 1 => 2 }.freeze,
     Class.new(Array).new([1]).freeze].each { |items| refute @caller_runs_cache.take(Comparable, items), items.inspect }
  end

  def test_each_object_has_its_own_once_it_is_known_to_be_shareable
    one = Callable.new
    @caller_runs_cache.grant(one, 2, ITEM, 1000)
    assert @caller_runs_cache.take(one, [1].freeze)
    refute @caller_runs_cache.take(Callable.new, [1].freeze), "another one of its class"
    refute @caller_runs_cache.take(Callable, [1].freeze)
    [nil, 1, :call, +"call", Callable.allocate, Callable.allocate.freeze].each do |callable|
      @caller_runs_cache.grant(callable, 3, ITEM, 1000)
      refute @caller_runs_cache.take(callable, [1].freeze), "nobody has looked whether it is shareable"
    end
  end

  def test_a_proc_has_one_too
    block = Ractor.make_shareable(nil.instance_exec { proc { |item| item } })
    @caller_runs_cache.grant(block, 4, ITEM, 1000)
    assert @caller_runs_cache.take(block, [1].freeze)
  end

  def test_a_revoked_or_suspended_permit_is_none
    grant
    @caller_runs_cache.suspend
    refute @caller_runs_cache.take(Comparable, [1].freeze)
    @caller_runs_cache.resume
    assert @caller_runs_cache.take(Comparable, [1].freeze)
    @caller_runs_cache.revoke(2)
    assert @caller_runs_cache.take(Comparable, [1].freeze)
    @caller_runs_cache.revoke(1)
    refute @caller_runs_cache.take(Comparable, [1].freeze)
  end

  Forgotten = Class.new(Callable)

  def test_a_callable_that_is_used_no_more_is_not_kept_alive
    Thread.new { 20.times { |number| @caller_runs_cache.grant(Forgotten.new, number, ITEM, 1000) } }.join
    eventually(10, "they are collected") do
      GC.start
      ObjectSpace.each_object(Forgotten).count < 5 # the stack may hold some
    end
  end

  def test_a_callable_in_use_survives_collections
    disabled = GC.disable # one that comes by itself, between two looks, would count as well
    GC.start
    grant
    3.times do
      assert @caller_runs_cache.take(Comparable, [1].freeze)
      GC.start
    end
    assert @caller_runs_cache.take(Comparable, [1].freeze)
    3.times { GC.start }
    refute @caller_runs_cache.take(Comparable, [1].freeze)
  ensure
    GC.enable unless disabled
  end

  def test_keys_stay_alive_and_where_they_are
    disabled = GC.disable # as above
    classes = Array.new(200) { |n| Class.new.tap { |made| @caller_runs_cache.grant(made, n, ITEM, 1000) } }
    known = classes.select { |made| @caller_runs_cache.take(made, [1].freeze) }
    assert_operator known.size, :>, 10, "each has one place of 64"
    numbers = classes.map(&:object_id)
    GC.respond_to?(:compact) ? GC.compact : GC.start
    assert_equal numbers, classes.map(&:object_id)
    assert_equal known, (classes.select { |made| @caller_runs_cache.take(made, [1].freeze) })
  ensure
    GC.enable unless disabled
  end

  def test_wrong_arguments_raise
    assert_raises(TypeError) { @caller_runs_cache.grant(Comparable, 1, "1", 1) }
    assert_raises(TypeError) { @caller_runs_cache.grant(Comparable, nil, 1, 1) }
    assert_raises(TypeError) { @caller_runs_cache.grant(Comparable, 1, 1, nil) }
    assert_raises(TypeError) { @caller_runs_cache.revoke(Comparable) }
    assert_raises(ArgumentError) { @caller_runs_cache.take(Comparable) }
    assert_raises(TypeError) { @caller_runs_cache.dup }
  end
end
