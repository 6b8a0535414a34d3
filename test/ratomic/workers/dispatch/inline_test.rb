# frozen_string_literal: true

require "test_helper"
require "support/backend_contract"
require "support/per_worker_contract"
require "support/unmade_results_contract"

class InlineTest < Minitest::Test
  include BackendContract
  include PerWorkerContract
  include UnmadeResultsContract

  module ReadsConstant
    LIST = [1, [2]] # rubocop:disable Style/MutableConstant -- what no worker may read

    def self.call(item)
      helper(item)
    end

    def self.helper(item)
      LIST.include?(item)
    end
  end

  module ReadsGlobal
    def self.call(_item)
      $ratomic_test # rubocop:disable Style/GlobalVars
    end
  end

  class HasHandler
    def initialize(handler)
      @handler = handler
      freeze
    end

    def call(item)
      item
    end
  end

  def backend
    :inline
  end

  def test_a_block_runs_on_every_ruby
    assert_equal [2, 3], @pool.map([1, 2]) { |item| item + 1 }
    assert_equal [2, 3], @pool.dispatch_async([1, 2], results: :owned) { |item| item + 1 }.value!
    assert_equal 6, @pool.reduce([1, 2], Double, initial: 0) { |sum, item| sum + item }.sum
    assert_equal 0, refs_kept
  end

  def test_a_dispatch_is_done_when_it_returns
    assert_predicate @pool.dispatch_async([1, 2], Double), :ready?
  end

  def test_it_refuses_what_a_ractor_would_refuse
    error = assert_raises(Ratomic::Workers::CallableError) { @pool.dispatch_async([1], ReadsConstant) }
    assert_match(/constant LIST/, error.message)
    error = assert_raises(Ratomic::Workers::CallableError) { @pool.dispatch_async([1], ReadsGlobal) }
    assert_match(/global variable \$ratomic_test/, error.message)
    error = assert_raises(Ratomic::Workers::CallableError) { @pool.dispatch_async([1], HasHandler.new([+"text"])) }
    assert_match(/@handler/, error.message)
  end

  def test_a_return_in_a_lambda_and_a_throw_stay_inside
    caught = catch(:tag) { value_of([1, :throw_tag, 3], Misbehave) }
    assert_failure caught[1], "UncaughtThrowError", 1
  end

  def test_a_shutdown_waits_for_what_other_threads_run
    hold = Hold.new
    caller = Thread.new { @pool.dispatch_async([1, 2], hold).value }
    eventually { hold.begun.value == 1 }
    refute @pool.shutdown(timeout: 0.05)
    assert_equal :ending, @pool.stats[:state]
    hold.open
    assert within(5) { @pool.shutdown }
    assert_equal [1, 2], caller.value
  end

  def test_a_kill_ends_what_other_threads_run
    hold = Hold.new
    caller = Thread.new { @pool.dispatch_async([1, 2, 3], hold).value }
    eventually { hold.begun.value == 1 }
    within(5) { @pool.kill }
    hold.open
    caller.value.each_with_index { |result, index| assert_failure(result, "Ratomic::Workers::ShutdownError", index) }
    assert_equal 1, hold.begun.value
  end

  def test_a_pool_that_has_ended_is_not_kept
    ended = nil
    subscription = @pool.subscribe { |event| ended = event.name }
    value_of([1], Double)
    assert within(5) { @pool.shutdown }
    assert subscription.join(timeout: 5)
    assert_equal :ended, ended
    assert_empty(Ratomic::Workers::Pool::RUNNING.values.select { |pool, _| pool.equal?(@pool) })
  end

  def test_in_a_signal_handler_the_error_about_a_time_limit_says_what_to_do
    out = ruby!(<<~RUBY)
      require "ratomic"
      Sleep = Module.new { def self.call(seconds) = sleep(seconds) }
      pool = Ratomic::Workers::Pool.new(backend: :inline)
      told = Thread::Queue.new
      trap(:USR1) do
        told << pool.dispatch_async([30], Sleep, item_timeout: 0.05).value
      rescue Ratomic::Error => e
        told << "\#{e.class}: \#{e.message}"
      end
      Process.kill(:USR1, Process.pid)
      puts told.pop, pool.stats[:items][:in_flight]
    RUBY
    assert_match(/\ARatomic::TrapError: .*Thread.new.*\n0\n\z/, out)
  end

  def test_there_are_no_threads_left
    assert_leaves_nothing { value_of([1, :end_thread, 3], Misbehave) }
  end
end
