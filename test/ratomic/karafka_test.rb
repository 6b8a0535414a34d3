# frozen_string_literal: true

require "test_helper"
require "ratomic/karafka"

class KarafkaTest < Minitest::Test
  # Stands for Karafka's monitor.
  class Monitor
    def initialize
      @subscribers = Hash.new { |all, name| all[name] = [] }
    end

    def subscribe(name, &block)
      @subscribers[name] << block
    end

    def publish(name)
      @subscribers[name].each(&:call)
    end
  end

  Message = Struct.new(:raw_payload)

  # A deserializer.
  module Upcase
    def self.call(message)
      message.raw_payload.upcase
    end
  end

  # A module with what the adapter uses of Karafka.
  def stand_in
    parallel = Module.new
    parallel.const_set(:DESERIALIZATION_ERROR, Object.new.freeze)
    parallel.const_set(:Pool, Class.new)
    parallel.const_set(:Future, Class.new { def initialize(port, batches, total); end })
    parallel.const_set(:Immediate, Class.new { def self.instance = @instance ||= new.freeze })
    parallel.const_set(:MessageProxy, Struct.new(:raw_payload))
    parallel.const_set(:Distributor, Class.new { def call(*, **) = raise("is not asked") })
    monitor = @monitor = Monitor.new
    karafka = Module.new { define_singleton_method(:monitor) { monitor } }
    karafka.const_set(:Deserializing, Module.new).const_set(:Parallel, parallel)
    karafka
  end

  def setup
    @karafka = stand_in
    @parallel = @karafka::Deserializing::Parallel
    @pool = Ratomic::Karafka.install(@karafka).instance
  end

  def teardown
    @pool.reset!
  end

  def dispatch(*payloads)
    @pool.dispatch_async(payloads.map { |payload| Message.new(payload) }, Upcase, @parallel::Distributor.new)
  end

  def test_it_takes_the_place_of_the_pool_once
    assert_same @pool, @parallel::Pool.instance
    assert_same @parallel::Pool, Ratomic::Karafka.install(@karafka)
    refute_same Ratomic::Karafka::Pool.instance, @pool
  end

  def test_it_hands_out_what_karafka_knows
    assert_same @parallel::Immediate.instance, dispatch("a")
    @pool.start(2, min_payloads: 2)
    assert_same @parallel::Immediate.instance, dispatch("a")
    future = dispatch("a", nil, "b")
    assert_kind_of @parallel::Future, future
    assert_equal ["A", @parallel::DESERIALIZATION_ERROR, "B"], within(30) { future.retrieve }
  end

  def test_it_ends_with_the_application
    @pool.start(2, min_payloads: 1)
    assert_equal %w[A], within(30) { dispatch("a").retrieve }
    within(30) { @monitor.publish("app.stopped") }
    assert_same @parallel::Immediate.instance, dispatch("a")
  end

  def test_without_karafka_the_error_says_what_to_load_first
    error = assert_raises(Ratomic::Error) { Ratomic::Karafka.install }
    assert_equal 'Karafka is not loaded; call Ratomic::Karafka.install after require "karafka"', error.message
  end

  def test_a_karafka_without_parallel_deserialization_is_refused
    error = assert_raises(Ratomic::Error) { Ratomic::Karafka.install(Module.new) }
    assert_match(/no parallel deserialization/, error.message)
  end

  def test_it_is_not_loaded_with_the_gem
    assert_equal "nil\n", ruby!('require "ratomic"; p defined?(Ratomic::Karafka)')
  end
end
