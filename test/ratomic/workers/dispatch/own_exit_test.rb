# frozen_string_literal: true

require "test_helper"
require "support/worker_callables"

class OwnExitTest < Minitest::Test
  include WorkerCallables

  def setup
    @pool = Ratomic::Workers::Pool.new(size: 1, name: "exits")
    @pool.dispatch_async([1], Misbehave).value(timeout: 5)
    @engine = @pool.instance_variable_get(:@cell)[:engine]
    40.times { @engine.costs.learn(Misbehave, Ratomic::Workers::Weight::ITEM, 100, 1) }
  end

  def teardown
    @pool.kill
  end

  def test_an_item_that_exits_is_a_failure_also_where_the_caller_runs_it
    results = @pool.dispatch_async([1, :leave_program, 3], Misbehave).value(timeout: 5)
    assert_equal [1, "SystemExit", 3], [results[0], results[1].exception_class, results[2]]
    assert_equal 1, @pool.stats[:dispatches][:by_caller]
    @pool.dispatch_async([1], Misbehave).wait(timeout: 5)
    assert_equal 1, @pool.stats[:dispatches][:by_caller], "its callable is not for callers any more"
  end

  def own_exit?(item, callable = Misbehave)
    Ratomic::Workers::OwnExit.of?(@engine, item, callable)
  end

  def test_in_a_thread_where_no_handler_runs_it_is_the_items_own
    assert(within(5) { own_exit?(1) }) # that is in another thread
  end

  def test_it_is_the_items_own_when_it_exits_again_also_while_no_worker_is_free
    hold = Hold.new
    busy = @pool.dispatch_async([1], hold)
    eventually { hold.begun.value == 1 }
    assert own_exit?(:leave_program)
    refute own_exit?(1)
    %i[raise_exception throw_tag end_thread].each { |what| refute own_exit?(what) }
  ensure
    hold.open
    busy.wait(timeout: 5)
  end

  def test_an_item_that_does_not_end_is_not_waited_for
    sleeper = Ractor.make_shareable(Class.new { def call(_item) = sleep }.new)
    assert_leaves_nothing { refute own_exit?(1, sleeper) }
  end

  def test_a_trap_handler_that_exits_ends_a_program_whose_main_thread_runs_items
    5.times do
      ended = ruby(<<~RUBY)
        require "ratomic"
        module Work; def self.call(item) = 300.times { item += 1 } && item; end
        trap(:TERM) { exit 7 }
        pool = Ratomic::Workers::Pool.new(size: 1)
        pool.dispatch_async([1], Work).value(timeout: 5) until pool.stats[:dispatches][:by_caller] > 50
        Thread.new { Process.kill(:TERM, Process.pid) }
        deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + 5
        pool.dispatch_async([1, 2], Work).value until Process.clock_gettime(Process::CLOCK_MONOTONIC) > deadline
        puts pool.stats[:failures]
      RUBY
      assert_equal ["", 7], [ended.out, ended.status.exitstatus]
    end
  end
end
