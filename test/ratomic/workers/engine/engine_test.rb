# frozen_string_literal: true

require "test_helper"
require "support/mailboxes"
require "support/engine_room"
require "support/interruption"

class EngineTest < Minitest::Test
  include Mailboxes
  include EngineRoom
  include Interruption

  Workers = Ratomic::Workers
  PoolFailures = Workers::PoolFailures

  # Shareable, but only the main Ractor may run it.
  module ReadsConstant
    LIST = [1, [2]] # rubocop:disable Style/MutableConstant -- what no worker may read

    def self.call(item)
      LIST.include?(item)
    end
  end

  def setup
    @mailbox = open_mailbox
    @engine = engine
  end

  def engine(backend: :thread, **settings)
    Workers::Engine.new(Workers::Settings.new(size: 2, backend: backend, **settings), @mailbox)
  end

  # One that was let in.
  def batch(count, callable = Double, **options)
    Workers::Batch.new((1..count).to_a.freeze, count, count, callable, Workers::Options.new(options), count * 64)
                  .tap { |batch| @engine.accept(batch) }
  end

  # Finished items and finished dispatches.
  def counts
    [@engine.finished.value, @engine.metrics.latency.values.sum]
  end

  # Nobody else would end it.
  def test_the_coordinator_is_told_of_the_end_wherever_that_is_interrupted
    { shut_down: Workers::Engine::WIND_UP, kill: [:kill] }.to_a.product(%i[raise kill]) do |(doing, message), way|
      setup
      interrupt_everywhere(way, -> { @engine.public_send(doing) }) do |point|
        refute_equal @engine.open?, told { nil }.include?(message), point
        setup
      end
    end
  end

  def test_a_dispatch_after_the_close_is_counted_and_refused
    batch(3)
    @engine.close
    error = assert_raises(Workers::ShutdownError) { batch(2) }
    assert_match(/the pool #{@engine.name} was shut down/, error.message)
    assert_equal [5, false], [@engine.accepted.value, @engine.open?]
  end

  def test_threads_may_run_what_is_not_shareable
    callable = proc { |item| item }
    assert_same callable, Workers::RactorLocalRefs.take(@engine.admit(callable))
    assert_same ReadsConstant, @engine.admit(ReadsConstant)
  end

  def test_inline_refuses_beforehand_what_would_fail_in_a_worker
    inline = engine(backend: :inline)
    assert_same Double, inline.admit(Double)
    assert_raises(Workers::CallableError) { inline.admit(Class.new { def call(item) = item }.new) }
    assert_raises(Workers::CallableError) { inline.admit(proc { |item| item }) } if Ratomic::RACTORS
    assert_match(/LIST/, assert_raises(Workers::CallableError) { inline.admit(ReadsConstant) }.message)
  end

  def test_ractors_refuse_what_is_not_shareable
    skip_without_ractors
    ractors = engine(backend: :ractor)
    assert_same ReadsConstant, ractors.admit(ReadsConstant)
    assert_raises(Workers::CallableError) { ractors.admit(proc { |item| item }) }
  end

  def test_the_thread_that_files_the_last_result_finishes_the_dispatch_once
    assert_predicate @engine, :idle?
    all = batch(3)
    @engine.file(all, 0, [2].freeze, false)
    assert_equal [1, 0, false], [*counts, @engine.idle?]
    2.times { @engine.file(all, 1, [4, 6].freeze, false) }
    assert_equal [3, 1, true], [*counts, @engine.idle?]
    assert_equal [2, 4, 6], all.completion.to_a
  end

  def test_a_slot_that_is_filled_twice_does_not_finish_a_watched_dispatch
    all = batch(2, item_timeout: 5)
    2.times { @engine.file(all, 0, [2].freeze, false) }
    assert_equal [1, 0], counts
    @engine.file(all, 1, [4].freeze, false)
    assert_equal [2, 1], counts
  end

  def test_the_failures_of_a_chunk_are_counted_by_class
    all = batch(4, ->(item) { item == 1 ? raise(KeyError) : $stdout })
    counted = [{ "KeyError" => 1 }, { "KeyError" => 1, "Ratomic::ShareableError" => 2 }]
    [[0, 1], [1, 3]].zip(counted) do |(first, last), failures|
      chunk = Workers::Chunk.new(all, all.callable, first, last, 1)
      chunk.run(Workers::SupervisedRun::Guard)
      @engine.file_chunk(chunk)
      assert_equal failures, @engine.metrics.failures.to_h
    end
    assert_equal [0, 1, 2], all.completion.to_a.first(3).map(&:index)
    refute all.completion.filled?(3)
  end

  def test_a_failure_that_comes_too_late_does_not_count
    all = batch(2)
    2.times { |n| @engine.file(all, 0, [Workers::Failure.new(0, "KeyError", "no. #{n}")].freeze, true) }
    @engine.stop(all, PoolFailures::KILLED)
    @engine.file(all, 0, [1, Workers::Failure.new(1, "IOError", "late")].freeze, true)
    failures = Workers::Stats.new(@engine).to_h[:failures]
    assert_equal({ "KeyError" => 1, "Ratomic::Workers::ShutdownError" => 1 }, failures)
    assert_equal 2, @engine.finished.value
  end

  def test_a_callable_that_used_an_object_of_the_main_ractor_is_caller_unsafe
    %w[KeyError Ractor::IsolationError].each do |name|
      refute @engine.costs.caller_unsafe?(Double)
      @engine.file(batch(1), 0, [Workers::Failure.new(0, name, "no")].freeze, true)
    end
    assert @engine.costs.caller_unsafe?(Double)
  end

  def test_a_callable_that_was_kept_is_forgotten_with_its_dispatch
    done, stopped = refs = Array.new(2) { @engine.admit(proc { |item| item }) }
    @engine.file(batch(1, done), 0, [1].freeze, false)
    assert_equal [true, false], refs.map { |ref| Workers::RactorLocalRefs.read(ref).nil? }
    @engine.stop(batch(1, stopped), PoolFailures::KILLED)
    assert_nil Workers::RactorLocalRefs.read(stopped)
  end

  def test_it_offers_what_is_not_done_to_the_workers_while_there_is_room
    engine = engine(max_queue: 1)
    first, second, done = Array.new(3) { batch(1) }
    engine.size.times { assert engine.offer(batch(1)) }
    done.completion.fill(1)
    assert_equal [true, false, true, 3], [*[first, second, done].map do |part|
                                            engine.offer(part)
                                          end, engine.run_queue.size]
    assert_same first, Array.new(3) { engine.run_queue.try_pop }.last
    engine.run_queue.close
    assert_equal [false, true], [engine.offer(second), engine.offer(done)]
  end

  def test_when_it_is_closing_the_coordinator_hears_of_the_last_result
    assert_empty(told { @engine.file(batch(1), 0, [2].freeze, false) })
    [->(last) { @engine.file(last, 0, [2].freeze, false) },
     ->(last) { @engine.stop(last, PoolFailures::KILLED) }].each do |finish|
      @engine = engine
      filed, stopped, last = Array.new(3) { batch(1) }
      @engine.close
      assert_empty(told { @engine.file(filed, 0, [2].freeze, false) })
      assert_empty(told { @engine.stop(stopped, PoolFailures::KILLED) })
      assert_empty(told { @engine.file_chunk(Workers::Chunk.new(last, Double, 0, 1, 1)) })
      assert_equal([[:wind_up]], told { finish.call(last) })
    end
  end

  def test_killed_or_forked_it_ends_what_waits_and_what_runs
    { kill: PoolFailures::KILLED, lose: PoolFailures::FORKED }.each do |how, failure|
      @engine = engine
      @engine.offer(waiting = batch(2))
      @engine.board[1] = running = batch(1)
      assert_equal(how == :kill, told { @engine.public_send(how) }.include?([:kill]))
      assert_equal [failure] * 3, waiting.completion.to_a + running.completion.to_a
      assert_equal({ "Ratomic::Workers::ShutdownError" => 3 }, @engine.metrics.failures.to_h)
      assert_equal [[3, 0], false, how == :lose], [counts, @engine.open?, @engine.terminated.complete?]
      assert_equal how == :kill, !@engine.offer(Workers::Batch.new([1].freeze, 1, 1, Double, Workers::Options.new, 64))
    end
  end

  # A worker that has filed the last result has it on the board until it takes the next.
  def test_killed_or_forked_it_leaves_what_is_done_as_it_is
    %i[kill lose].each do |how|
      @engine = engine
      @engine.board[1] = done = batch(2)
      @engine.file(done, 0, [2, 4].freeze, false)
      @engine.public_send(how)
      assert_equal [false, true], [done.stopped?, @engine.killed?]
    end
  end

  def test_subscribers_are_told
    @engine.emit(:paused)
    @engine.subscribers.add(events = Ratomic::Queue.new(10))
    @engine.file(all = batch(2), 0, [1, Workers::Failure.new(1, "KeyError", "no")].freeze, true)
    failed, done = within(5) { Array.new(2) { events.pop } }
    assert_equal [:failed, all.ticket, @engine.name, 1], [failed.name, failed.dispatch, failed.pool, failed[:item]]
    assert_equal [:completed, all.ticket, 2, 0], [done.name, done.dispatch, done[:items], events.size]
    assert_in_delta 2.5, done[:seconds], 2.5
  end

  def test_at_its_end_everyone_who_waits_is_let_go
    Workers::Pool::RUNNING[@engine.number] = [:pool, @engine].freeze
    @engine.subscribers.add(events = Ratomic::Queue.new(10))
    @engine.end
    assert_equal [:ended, nil], within(5) { [events.pop.name, events.pop] }
    assert @engine.terminated.wait(0)
    refute_includes Workers::Pool::RUNNING.keys, @engine.number
    assert_raises(*Workers::Mailbox::CLOSED) { @mailbox.send(:late) }
    assert_nil @engine.post([:late].freeze)
  end
end
