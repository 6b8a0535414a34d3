# frozen_string_literal: true

require "test_helper"
require "stringio"
require "ratomic/workers/instrumentation/log"
require "support/libraries"
require "support/worker_callables"
require "support/worker_pools"

class LogTest < Minitest::Test
  include Libraries
  include WorkerCallables
  include WorkerPools

  def setup
    super
    need "logger", "ruby"
    @text = StringIO.new
    @logger = Logger.new(@text, formatter: ->(severity, _, _, message) { "#{severity} #{message}\n" })
    @pool = new_pool(name: "parsers")
  end

  # What was logged of the block's work.
  def logged(pool = @pool, **options)
    subscription = Ratomic::Workers::Instrumentation::Log.subscribe(pool, @logger, **options)
    yield
    subscription.cancel
    assert subscription.join(timeout: 5)
    @text.string.lines(chomp: true)
  end

  def test_a_dispatch_that_failed_has_one_line
    lines = logged(slow: nil) do
      @pool.dispatch_async([1, :raise_error, :overflow_stack, 3], Misbehave, sequential: true, context: "a.csv").value
      @pool.dispatch_async([1, 2], Double).value
    end
    assert_equal 1, lines.size
    assert_match(/\AWARN ratomic parsers: dispatch \d+ of 4 items took [\d.]+ [mu]?s, 2 failed, /, lines[0])
    assert_match(/, the first: item 1: KeyError: no such key \["a.csv"\]\z/, lines[0])
  end

  # Reads what no Ractor may.
  module Unfrozen
    LIST = [+"text"] # rubocop:disable Style/MutableConstant

    def self.call(_item) = LIST.first
  end

  def test_a_callable_that_runs_outside_of_ractors_has_one_line
    skip_without_ractors
    pool = new_pool(name: "parsers", fallback: :thread)
    lines = logged(pool, slow: nil) do
      2.times { assert_equal ["text"], within(20) { pool.dispatch_async([1], Unfrozen).value(timeout: 15) } }
    end
    assert_equal 1, lines.size
    assert_match(/\AWARN ratomic parsers: LogTest::Unfrozen runs in threads of the main Ractor from now on: Ractor::/,
                 lines[0])
  end

  def test_a_dispatch_that_was_slow_has_one_line
    lines = logged(slow: 0.02) do
      @pool.dispatch_async([0.0], Sleep).value
      @pool.dispatch_async([0.05], Sleep).value
    end
    assert_match(/dispatch \d+ of 1 items took [\d.]+ m?s\z/, lines.last)
  end

  def test_a_dispatch_that_was_ended_has_one_line
    hold = Hold.new
    lines = logged(slow: nil) do
      future = @pool.dispatch_async([1, 2, 3], hold)
      eventually { hold.begun.value.positive? }
      future.cancel
      expired = @pool.dispatch_async([1], hold, timeout: 0.01)
      expired.wait(timeout: 5)
      hold.open
      @pool.dispatch_async([1], Double).value
    end
    assert_equal 1, lines.grep(/was cancelled, 3 items had no result/).size
    assert_equal 1, lines.grep(/was expired, 1 items had no result/).size
    assert_equal 2, lines.size
  end

  def test_a_refused_dispatch_and_a_dead_worker_have_one_line
    hold = Hold.new
    pool = new_pool(name: "small", max_queue: 1, on_full: :raise)
    lines = logged(pool, slow: nil) do
      assert_raises(Ratomic::Workers::QueueFullError) { 5.times { pool.dispatch_async([1], hold) } }
      hold.open
      pool.dispatch_async([1], Double, on_full: :block).value
      pool.dispatch_async([:end_worker], Misbehave).value if Ratomic::RACTORS
      eventually { pool.stats[:workers][:respawns] == 1 } if Ratomic::RACTORS
    end
    assert_equal 1, lines.grep(/of 1 items was refused: the queue is full/).size
    assert_equal 1, lines.grep(/small: worker \d died/).size if Ratomic::RACTORS
  end

  def test_line_breaks_in_messages_of_items_make_no_line_of_their_own
    lines = logged { @pool.dispatch_async(["{\nWARN x"], Ratomic::Workers::ParseJSON).value }
    assert_equal 1, lines.size
  end

  def test_wrong_arguments_are_refused_before_there_is_a_subscription
    log = Ratomic::Workers::Instrumentation::Log
    assert_match(/must have warn/, assert_raises(TypeError) { log.subscribe(@pool, @text) }.message)
    assert_match(/slow: must be seconds/, assert_raises(TypeError) { log.subscribe(@pool, @logger, slow: "1") }.message)
    assert_match(/slow: must be 0 or more/, assert_raises(ArgumentError) { log.new(@logger, slow: -1) }.message)
  end
end
