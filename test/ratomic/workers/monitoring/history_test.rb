# frozen_string_literal: true

require "test_helper"
require "support/worker_callables"
require "support/worker_pools"

class HistoryTest < Minitest::Test
  include WorkerCallables
  include WorkerPools

  History = Ratomic::Workers::History

  def engine(pool)
    Ratomic::Workers::Pool::RUNNING.values.find { |owner, _| owner.equal?(pool) }[1]
  end

  def test_rates_are_the_differences_of_the_counters
    pool = new_pool
    pool.dispatch_async([1, 2], Double).value
    history = History.new
    times = [now]
    history.sample
    times << now
    pool.dispatch_async([1, :raise_error, 3], Misbehave).value
    spinning, = pool.dispatch_async([100_000], TimedSpin).value
    until_workers_wait(pool)
    times << now
    history.sample
    times << now
    point, = history.points(engine(pool))
    seconds = (times[2] - times[1])..(times[3] - times[0]) # that were between the two samples
    { items: 4, dispatches: 2, failures: 1 }.each { |what, count| assert_includes seconds, count / point[what], what }
    assert_operator point.mean, :>, 0.0005
    assert_operator point.slow, :>=, point.mean
    assert_operator point.busy * pool.size * seconds.end, :>=, spinning
  end

  # Returns how many seconds it took.
  module TimedSpin
    def self.call(rounds)
      started = Process.clock_gettime(Process::CLOCK_MONOTONIC)
      WorkerCallables::Spin.call(rounds)
      Process.clock_gettime(Process::CLOCK_MONOTONIC) - started
    end
  end

  def now
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end

  def test_where_nothing_has_ended_there_is_no_latency
    pool = new_pool.start
    history = History.new
    2.times { history.sample }
    point, = history.points(engine(pool))
    assert_equal [nil, nil, 0.0], [point.mean, point.slow, point.items]
  end

  def test_only_the_last_minutes_are_kept_and_only_of_pools_that_run
    pool = new_pool.start
    history = History.new
    (History::MAX_POINTS + 5).times { history.sample }
    kept = engine(pool)
    assert_equal History::MAX_POINTS, history.points(kept).size
    pool.kill
    history.sample
    assert_empty history.points(kept)
  end

  def test_a_thread_takes_samples_while_there_are_readers
    pool = new_pool.start
    history = History.new.look
    thread = history.instance_variable_get(:@thread)
    eventually { history.instance_variable_get(:@samples).any? }
    assert_same thread, history.look.instance_variable_get(:@thread)
    history.stop
    within(5) { thread.join }
    refute_same thread, history.look.instance_variable_get(:@thread)
    assert_empty history.points(engine(pool))
  ensure
    history.stop
  end

  def test_a_child_has_a_history_of_its_own
    out = ruby!(<<~'RUBY')
      require "ratomic"
      parent = Ratomic::Workers::History.current
      reader, writer = IO.pipe
      pid = fork do
        child = Ratomic::Workers::History.current
        writer.write([child.equal?(parent), child.instance_variable_get(:@thread).alive?].inspect)
        writer.close
        exit!(0)
      end
      writer.close
      print reader.read
      Process.wait(pid)
    RUBY
    assert_equal "[false, true]", out
  end
end
