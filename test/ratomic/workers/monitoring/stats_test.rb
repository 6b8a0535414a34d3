# frozen_string_literal: true

require "test_helper"
require "support/learnt_costs"
require "tmpdir"
require "support/worker_callables"

class StatsTest < Minitest::Test
  include LearntCosts

  # Counted by Coverage: the lines of `call` with threads, none of them with Ractors.
  def test_it_says_that_coverage_does_not_see_what_runs_in_ractors
    skip_without_ractors
    Dir.mktmpdir do |folder|
      path = File.join(folder, "covered.rb")
      File.write(path, "module Covered\n  def self.call(item)\n    item + 1\n  end\nend\n")
      out = ruby!(<<~RUBY, env: { "RUBYOPT" => nil }) # without the coverage of the tests themselves
        require "coverage"
        Coverage.start
        require #{path.dump}
        require "ratomic"
        %i[ractor thread].each do |backend|
          pool = Ratomic::Workers::Pool.new(size: 1, backend: backend, min_batch: 0)
          pool.dispatch_async([1, 2], Covered).value!(timeout: 5)
          counted = Coverage.peek_result.fetch(#{path.dump})[2]
          told = [pool.stats[:notes].join, pool.explain([1], Covered).to_s].map { |text| text.include?("Coverage is running") }
          puts [counted, *told].inspect
        end
      RUBY
      assert_equal ["[0, true, true]", "[2, false, false]"], out.lines(chomp: true)
    end
  end

  # Refuses to tell its name.
  class Nameless
    def self.to_s
      raise "no name"
    end

    def call(_item)
      raise Class.new(StandardError) { def self.name = "\xff" }
    end
  end

  def test_class_names_of_all_kinds_can_be_shown
    pool = Ratomic::Workers::Pool.new(size: 1, min_batch: 0)
    pool.dispatch_async([1, 2], Nameless.new.freeze).value(timeout: 5)
    assert_includes pool.stats[:costs].keys, "StatsTest::Nameless"
    assert_predicate pool.to_prometheus, :valid_encoding?
    assert_match(/StatsTest::Nameless/, pool.explain([1], Nameless.new.freeze).to_s)
  ensure
    pool.kill
  end

  include WorkerCallables

  def setup
    @pool = Ratomic::Workers::Pool.new(size: 2, name: "sta\"ts", min_batch: 0)
  end

  def teardown
    @pool.kill
  end

  def test_the_statistics_of_a_fresh_pool_are_zero
    stats = @pool.stats
    assert_equal ["sta\"ts", 2, :running], stats.values_at(:name, :size, :state)
    assert_equal({ accepted: 0, finished: 0, in_flight: 0, dropped: 0 }, stats[:items])
    assert_equal({}, stats[:failures])
  end

  def test_items_in_flight_are_counted
    hold = Hold.new
    future = @pool.dispatch_async([1, 2, 3], hold, sequential: true)
    eventually { hold.begun.value == 1 }
    stats = @pool.stats
    assert_equal({ accepted: 3, finished: 0, in_flight: 3, dropped: 0 }, stats[:items])
    assert_equal 1, stats[:workers][:busy]
    hold.open
    future.wait(timeout: 5)
    assert_equal 0, @pool.stats[:items][:in_flight]
    eventually { @pool.stats[:workers][:busy].zero? }
    assert_operator @pool.stats[:workers][:busy_seconds_total], :>, 0
  end

  def test_running_chunks_are_listed_with_their_time_and_context
    hold = Hold.new
    future = @pool.dispatch_async([1, 2, 3], hold, sequential: true, context: "import 7")
    eventually { hold.begun.value == 1 }
    running, idle = @pool.stats[:running].partition { |worker| worker[:dispatch] }
    assert_equal 1, running.size
    assert_equal ["WorkerCallables::Hold", 0, 3, "import 7"],
                 running[0].values_at(:callable, :completed, :items, :context)
    first = running[0].values_at(:seconds, :dispatch_seconds)
    assert_operator first[0], :<=, first[1]
    assert_equal [%i[worker busy_seconds]], idle.map(&:keys).uniq
    eventually { @pool.stats[:running].any? { |worker| (worker[:seconds] || 0) > first[0] + 0.01 } }
    hold.open
    future.wait(timeout: 5)
    eventually { @pool.stats[:running].none? { |worker| worker[:dispatch] } }
  end

  def test_chunks_that_callers_run_are_listed_too
    pool = Ratomic::Workers::Pool.new(size: 1, backend: :inline)
    hold = Hold.new
    thread = Thread.new { pool.dispatch_async([1], hold) }
    eventually { hold.begun.value == 1 }
    running = pool.stats[:running].map { |beside| beside.values_at(:worker, :callable, :items) }
    assert_equal [[nil, "WorkerCallables::Hold", 1]], running
  ensure
    hold.open
    thread.join
  end

  def test_the_last_failures_of_each_class_are_kept_with_their_context
    6.times { |i| @pool.dispatch_async([:raise_error], Misbehave, context: "file #{i}".freeze).wait(timeout: 5) }
    @pool.dispatch_async([:overflow_stack], Misbehave).wait(timeout: 5)
    last = @pool.stats[:last_failures]
    assert_equal %w[KeyError SystemStackError], last.keys.sort
    assert_equal ["file 5", "file 4", "file 3", "file 2"], last["KeyError"].map { |note| note[:context] }
    note = last["KeyError"][0]
    assert_equal ["no such key", "WorkerCallables::Misbehave"], [note[:failure].message, note[:callable]]
    assert_match(/worker_callables.rb/, note[:failure].backtrace[0])
    assert_in_delta Time.now.to_f, note[:time], 60
  end

  def test_failures_of_what_callers_run_and_of_what_was_stopped_are_kept_too
    pool = Ratomic::Workers::Pool.new(size: 1)
    pool.dispatch_async([1], Misbehave, min_batch: 0).wait(timeout: 20)
    by_caller = pool.stats[:dispatches][:by_caller]
    pretend(Misbehave, 100, pool) # or a moment in which the machine was busy forbids it
    pool.dispatch_async([:raise_error], Misbehave).value
    assert_equal [by_caller + 1, nil],
                 [pool.stats[:dispatches][:by_caller], pool.stats[:last_failures]["KeyError"][0][:dispatch]]
    hold = Hold.new
    future = pool.dispatch_async([1, 2], hold, min_batch: 0)
    future.cancel
    hold.open
    assert_equal 1, pool.stats[:last_failures]["Ratomic::Workers::CancelledError"].size
  ensure
    pool.kill
  end

  def test_it_says_for_each_callable_who_runs_small_dispatches_and_why
    @pool.dispatch_async([1], Double, min_batch: 0).wait(timeout: 5)
    @pool.dispatch_async([:end_thread], Misbehave).wait(timeout: 5)
    @pool.dispatch_async([1, 2], Misbehave).wait(timeout: 5)
    @pool.dispatch_async([30_000], Spin).wait(timeout: 5)
    pretend(Double, 100)
    callables = eventually do
      known = @pool.stats[:callables].to_h { |callable| [callable[:name][/\w+\z/], callable] }
      known if known.size == 3 && known["Double"][:by_caller].positive?
    end
    assert_match(/to wake a worker takes/, callables["Double"][:reason])
    assert_match(/of 16 chunks in a row had no slow item/, callables["Spin"][:reason])
    assert_match(/has ended its thread/, callables["Misbehave"][:reason])
    assert_equal [0, [1, 1]], callables["Spin"].values_at(:by_caller, :chunk), callables["Spin"].inspect
    assert_operator callables["Spin"][:item_seconds], :>=, 0.001
    assert_operator callables["Double"][:chunk][1], :>, 1
  end

  def test_it_is_consistent_while_work_goes_on
    stop = false
    busy = Thread.new { @pool.dispatch_async([1, 2, 3], Double).value until stop }
    500.times do
      stats = @pool.stats
      items = stats[:items]
      assert_equal items[:accepted], items[:finished] + items[:in_flight]
      assert_operator stats[:dispatches][:completed], :<=, stats[:dispatches][:made]
    end
  ensure
    stop = true
    busy.join
  end

  def test_each_end_of_a_dispatch_is_counted
    hold = Hold.new
    futures = [@pool.dispatch_async([1, 2], hold), @pool.dispatch_async([1], hold, timeout: 0.05)]
    futures[1].wait(timeout: 5)
    futures[0].cancel
    hold.open
    @pool.dispatch_async([30], Sleep, item_timeout: 0.05).wait(timeout: 5)
    stats = @pool.stats
    assert_equal [3, 1, 1], stats[:dispatches].values_at(:made, :cancelled, :expired)
    assert_equal 1, stats[:workers][:overdue]
    # An item that is watched may end twice over, so its dispatch is counted after its result is there.
    eventually(STATE_TIMEOUT_S, "the latency of the overdue dispatch") { @pool.stats[:latency][:count] == 1 }
  end

  def test_latencies_are_in_their_bucket
    metrics = Ratomic::Workers::Metrics.new
    [0.000001, 0.000016, 0.000017, 0.00006, 0.001, 70.0, 10_000.0].each { |s| metrics.tally.record((s * 1e9).round) }
    bounds = metrics.latency.select { |_, count| count.positive? }
    assert_equal({ 1.6e-05 => 2, 6.4e-05 => 2, 0.001024 => 1, Float::INFINITY => 2 }, bounds)
    assert_in_delta 10_070.001094, metrics.latency_sum, 0.0001
  end

  def test_an_oversized_pool_is_noted
    pool = Ratomic::Workers::Pool.new(size: 40, backend: :thread)
    assert_match(/40 workers for #{Etc.nprocessors} processors/, pool.stats[:notes].join)
  ensure
    pool.kill
  end

  # A number above zero at its beginning counts, as Ruby reads it; without one, Ruby's own.
  def test_how_many_ractors_run_at_once_is_what_ruby_makes_of_the_environment
    own = Ratomic::HEAP_PER_RACTOR ? Etc.nprocessors : 8
    { nil => own, "" => own, "many" => own, "0" => own, "-3" => own, "5" => 5, "5x" => 5, " 6" => 6 }
      .each { |asked, count| assert_equal count, running_at_once("RUBY_MAX_CPU" => asked), asked.inspect }
  end

  # Later Rubies give each Ractor a native thread then. Ruby 4.0 does not.
  def test_without_threads_in_common_all_ractors_run_at_once
    assert_equal 5, running_at_once("RUBY_MAX_CPU" => "5", "RUBY_MN_THREADS" => "1")
    assert_equal Ratomic::HEAP_PER_RACTOR ? Float::INFINITY : 5,
                 running_at_once("RUBY_MAX_CPU" => "5", "RUBY_MN_THREADS" => "-1")
  end

  def test_a_pool_with_more_workers_than_run_at_once_is_noted
    skip_without_ractors
    out = ruby!(<<~RUBY, env: { "RUBY_MAX_CPU" => "2", "RUBY_MN_THREADS" => nil })
      require "ratomic"
      pool = Ratomic::Workers::Pool.new(size: 3).start
      puts pool.stats[:notes]
      pool.kill
    RUBY
    assert_includes out, "3 workers, but Ruby runs 2 Ractors at once (RUBY_MAX_CPU)"
  end

  private

  def running_at_once(environment)
    Ratomic::Workers::Backend::Ractors.at_once(environment)
  end
end
