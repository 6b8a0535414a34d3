# frozen_string_literal: true

require "test_helper"
require "support/worker_callables"

class WatchdogTest < Minitest::Test
  include WorkerCallables

  Workers = Ratomic::Workers

  def setup
    @pool = Ratomic::Workers::Pool.new(size: 2, min_batch: 0).start
    @engine = @pool.instance_variable_get(:@cell)[:engine]
  end

  def teardown
    @pool.kill
  end

  # A registry of one worker, which runs the dispatch.
  WorkerRegistry = Struct.new(:member) do
    def busy_with(ticket)
      yield member if member.worker_status.ticket == ticket
    end
  end

  # A watchdog by itself, and a batch that its one worker runs.
  def alone(**options)
    @timer_queue = Workers::TimerQueue.new(mailbox = Workers::Mailbox::QueueMailbox.new)
    @control = Workers::Mailbox::QueueMailbox.new
    member = Workers::WorkerRegistry::WorkerHandle.new(Workers::WorkerStatus.new(1), nil, 0, @control)
    @batch = Workers::Batch.new([1, 2].freeze, 2, 2, Double, Workers::Options.new(options), 128)
    member.worker_status.begin_chunk(@batch.ticket, 2)
    yield Workers::Watchdog.new(@engine, @timer_queue, WorkerRegistry.new(member)), member.worker_status
  ensure
    @timer_queue.close
    mailbox.close
  end

  # @param since [Float] monotonic seconds
  # @return [Array<Float>] in how many seconds from then that is to be done
  def reminders(what, since = Workers::Clock.now)
    entries = @timer_queue.instance_variable_get(:@entries).select { |entry| entry.what == what }
    entries.map { |entry| entry.at - since }
  end

  def test_a_dispatch_whose_time_is_up_ends_when_its_workers_have_filed_what_they_have
    alone(timeout: 1) do |watchdog|
      watchdog.handle(:filed, @batch)
      watchdog.handle(:expire, @batch)
      assert_equal [:file, @batch], within(5) { @control.receive }
      @batch.completion.file(0, [5].freeze)
      refute_predicate @batch.completion, :complete?
      watchdog.handle(:filed, @batch)
      assert_equal [5, Workers::DispatchTimeoutError.name], [@batch.completion[0], @batch.completion[1].exception_class]
      assert_equal [:interrupt, @batch.ticket, nil], within(5) { @control.receive }
    end
  end

  def test_it_ends_also_when_they_do_not_answer
    alone(timeout: 1) do |watchdog|
      watchdog.handle(:expire, @batch)
      assert_operator reminders(:expired)[0], :<=, Workers::Watchdog::FILE_REQUEST_TIMEOUT_S
      watchdog.handle(:expired, @batch)
      assert_predicate @batch.completion, :complete?
      watchdog.handle(:filed, @batch)
    end
  end

  def test_items_that_may_run_for_no_time_are_not_looked_for_all_the_time
    [0, 1e-6].each do |limit|
      alone(item_timeout: limit) do |watchdog, worker_status|
        started = Workers::Clock.now
        2.times do
          watchdog.handle(:watch, @batch)
          worker_status.begin_item(1)
        end
        assert_operator reminders(:watch, started).min, :>, Workers::Watchdog::MIN_WATCH_INTERVAL_S / 2
      end
    end
  end

  # A batch of which a worker claimed the items from...to, and was never seen again.
  def batch_with_a_lost_claim(items, callable, claimed)
    options = Ratomic::Workers::Options.new
    Ratomic::Workers::Batch.new(items.freeze, items.size, items.size, callable, options, items.size * 64).tap do |batch|
      @engine.accept(batch)
      assert_equal 0, batch.claim(claimed)
    end
  end

  def test_items_that_a_dead_worker_had_run_again
    batch = batch_with_a_lost_claim((0...100).to_a, Double, 30)
    @engine.run_queue.try_push(batch)
    @engine.post([:audit, batch].freeze)
    assert batch.completion.wait(5)
    assert_equal (0...100).map { |i| i * 2 }, batch.completion.to_a
    assert_equal 0, @pool.stats[:items][:in_flight]
  end

  def test_a_batch_that_lost_its_only_place_in_the_run_queue_gets_another
    batch = batch_with_a_lost_claim((0...100).to_a, Double, 30)
    @engine.post([:audit, batch].freeze)
    assert batch.completion.wait(5)
    assert_equal (0...100).map { |i| i * 2 }, batch.completion.to_a
  end

  def test_items_that_a_waiting_thread_runs_are_not_lost
    batch = batch_with_a_lost_claim((0...100).to_a, Double, 100)
    engine = Workers::Engine.new(Workers::Settings.new(size: 1, backend: :thread), Workers::Mailbox::QueueMailbox.new)
    engine.board[place = [batch.ticket, 7].freeze] = batch
    alone do
      watchdog = Workers::Watchdog.new(engine, @timer_queue, Workers::WorkerRegistry.new(engine, @timer_queue))
      look(watchdog, batch, 4)
      assert_nil engine.run_queue.try_pop
      engine.board.delete(place)
      look(watchdog, batch, 2)
      assert_equal batch.ticket, engine.run_queue.try_pop.ticket
    end
  end

  # Looks for what is lost of it, so many times.
  def look(watchdog, batch, times)
    times.times.inject(nil) do |before, _|
      watchdog.handle(:audit, batch, before)
      @timer_queue.instance_variable_get(:@entries).reverse.find { |entry| entry.what == :audit }.details[1]
    end
  end

  def test_the_item_that_ended_the_worker_is_found_among_them
    items = Array.new(20) { |i| i == 7 ? :end_worker : i }
    batch = batch_with_a_lost_claim(items, Misbehave, 20)
    @engine.post([:audit, batch].freeze)
    assert batch.completion.wait(10)
    results = batch.completion.to_a
    assert_equal ["ThreadError", 7], [results[7].exception_class, results[7].index]
    assert_equal items - [:end_worker], results - [results[7]]
  end
end
