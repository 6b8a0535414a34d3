# frozen_string_literal: true

require "test_helper"

class ArgumentsTest < Minitest::Test
  Arguments = Ratomic::Arguments
  Workers = Ratomic::Workers

  # An object that no message may ask anything.
  class Mute
    %i[inspect to_s == hash].each { |name| define_method(name) { |*| raise "#{name} was called" } }
  end

  # What stands for a number, as the Duration of ActiveSupport.
  class Minutes
    def initialize(number) = @number = number
    def is_a?(kind) = super || Integer <= kind
    def real? = true
    def to_f = @number * 60.0
  end

  module Buffers
    def self.call = []
  end

  # A number that can be read only the second time, as if another thread had sent the error.
  class Interrupted < Numeric
    def to_f
      return 0.0 if @sent

      @sent = true
      raise RangeError, "sent by another thread"
    end
  end

  def test_an_integer_is_in_its_range
    assert_equal 1, Arguments.integer("size", 1, 1..9)
    assert_equal 9, Arguments.integer("size", 9, 1..9)
    refuse(ArgumentError, "size must be 1 to 9, not 10") { Arguments.integer("size", 10, 1..9) }
    refuse(ArgumentError, "retries: must be 0 or more, not -1") { Arguments.integer(:retries, -1, 0..) }
    refuse(TypeError, "size: must be an Integer, not nil") { Arguments.integer(:size, nil, 1..9) }
    refuse(TypeError, "size: must be an Integer or :auto, not nil") { Arguments.integer_or_auto(:size, nil, 1..9) }
    refuse(ArgumentError, "size: must be 1 to 9, not 0") { Arguments.integer_or_auto(:size, 0, 1..9) }
    assert_equal [:auto, 9], [:auto, 9].map { |size| Arguments.integer_or_auto(:size, size, 1..9) }
    refuse(ArgumentError, "size: must be an Integer, not 1.0") { Arguments.integer(:size, 1.0, 1..9, ArgumentError) }
  end

  def test_seconds_are_a_number_or_nil
    assert_nil Arguments.seconds("timeout", nil)
    [0, 5, 0.5, 3r, Float::INFINITY].each { |given| assert_equal given, Arguments.seconds("timeout", given) }
    refuse(ArgumentError, "timeout must be 0 or more seconds, or nil, not -0.1") { Arguments.seconds("timeout", -0.1) }
    refuse(ArgumentError, "timeout: must be 0 or more seconds, or nil, not NaN") do
      Arguments.seconds(:timeout, Float::NAN)
    end
    [["1", "\"1\""], [Complex(1, 1), "(1+1i)"], [true, "true"]].each do |given, shown|
      refuse(TypeError, "timeout must be seconds as a number, or nil, not #{shown}") do
        Arguments.seconds("timeout", given)
      end
    end
  end

  def test_seconds_of_another_class_are_kept_as_a_shareable_number
    assert_equal [Float, 120.0], Arguments.seconds("timeout", Minutes.new(2)).then { |kept| [kept.class, kept] }
    pool = Workers::Pool.new(backend: :inline, timeout: Minutes.new(2))
    assert Ractor.shareable?(pool)
  end

  def test_native_waits_take_the_same_seconds
    queue = Ratomic::Queue.new(1)
    within(20) { assert_nil queue.pop(timeout: Minutes.new(0)) }
    queue << 1
    assert_equal 1, queue.pop(timeout: Minutes.new(1))
    ["1", Complex(1, 1), Mute.new].each do |given|
      refuse(TypeError, "timeout: must be seconds as a number, or nil, not #{Arguments.shown(given)}") do
        queue.pop(timeout: given)
      end
    end
  end

  def test_pools_wait_for_the_same_seconds
    local = Ratomic::LocalPool.new(size: 1, factory: Buffers)
    pools = [local, *(Ratomic::Pool.new(size: 1) { [] } if Ratomic::RACTORS)]
    pools.each do |pool|
      taken = pool.checkout
      assert_nil pool.checkout(timeout: Minutes.new(0))
      error = assert_raises(Ratomic::TimeoutError) { pool.with(timeout: Minutes.new(0)) { |object| object } }
      assert_match(/ within 0\.0 s/, error.message)
      pool.checkin(taken)
    end
  ensure
    pools&.each(&:close)
  end

  def test_native_waits_lose_no_error_that_comes_while_they_read_seconds
    refuse(RangeError, "sent by another thread") { Ratomic::Queue.new(1).pop(timeout: Interrupted.new) }
  end

  def test_a_negative_number_is_shown_without_asking_the_object_that_stands_for_it
    negative = Minutes.new(-1)
    negative.define_singleton_method(:to_s) { raise "to_s was called" }
    refuse(ArgumentError, "timeout must be 0 or more seconds, or nil, not -60.0") do
      Arguments.seconds("timeout", negative)
    end
  end

  def test_a_choice_is_one_of_the_symbols
    assert_equal :thread, Arguments.choice(:backend, :thread, %i[thread process])
    refuse(ArgumentError, "backend: must be one of :thread, :process, not \"thread\"") do
      Arguments.choice(:backend, "thread", %i[thread process])
    end
  end

  def test_a_message_asks_the_object_nothing
    [[Mute.new, "#<ArgumentsTest::Mute>"], [BasicObject.new, "#<BasicObject>"]].each do |given, shown|
      refused(given).each do |wrong|
        error = assert_raises(ArgumentError, TypeError, &wrong)
        assert_operator error.message, :end_with?, "not #{shown}"
      end
    end
  rescue RuntimeError => e
    flunk e.message
  end

  def test_a_message_shows_the_beginning_of_a_long_value
    long = "x" * 10_000
    [-> { Arguments.integer("size", long, 1..9) }, -> { Ratomic::Counter.new(long) }].each do |wrong|
      assert_operator assert_raises(TypeError, &wrong).message.size, :<, 300
    end
  end

  private

  def refuse(error, message, &block)
    assert_equal message, assert_raises(error, &block).message
  end

  def refused(given)
    options = %i[timeout item_timeout retries min_batch on_full results run as]
    settings = %i[size backend max_queue fallback]
    (options + settings).map { |name| -> { Workers::Pool.new(name => given) } } + [
      -> { Ratomic::LocalPool.new(factory: Workers::ParseJSON, size: given) },
      -> { Ratomic::LocalPool.new(factory: given) }, -> { Ratomic::Counter.new(given) },
      -> { Ratomic::Queue.new(given) }, -> { Ratomic::Queue.new(1).pop(timeout: given) },
      -> { Workers::Options.new.with(given) }, -> { Workers.per_worker(call: given) { 1 } }
    ]
  end
end
