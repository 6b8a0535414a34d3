# frozen_string_literal: true

require "test_helper"
require "support/mailboxes"
require "support/engine_room"
require "support/shown_errors"

class WorkerRegistryTest < Minitest::Test
  include Mailboxes
  include EngineRoom
  include ShownErrors

  Workers = Ratomic::Workers
  WorkerRegistry = Workers::WorkerRegistry

  NoRoom = Class.new(StandardError)

  # A backend whose workers are only numbers; it remembers what they were started with.
  class Numbers
    attr_reader :parts, :dead

    attr_writer :refusal

    def initialize
      @parts = {}
      @dead = []
    end

    def spawn(_engine, worker_status, parts)
      raise @refusal if Exception === @refusal
      raise ThreadError, @refusal if @refusal

      @parts[worker_status.id] = parts
      worker_status.id
    end

    def alive?(id)
      !@dead.include?(id)
    end
  end

  def setup
    @mailbox = open_mailbox
    @control = open_mailbox
    @engine = Workers::Engine.new(Workers::Settings.new(size: 2, backend: :thread, max_queue: 1), @mailbox)
    @timer_queue = Workers::TimerQueue.new(@mailbox)
    @registry = WorkerRegistry.new(@engine, @timer_queue)
    @registry.instance_variable_set(:@backend, @workers = Numbers.new)
    @engine.subscribers.add(@events = Ratomic::Queue.new(100))
    @registry.fill
  end

  def teardown
    @timer_queue.close
    [@mailbox, @control].each(&:close)
  end

  def batch
    Workers::Batch.new([1].freeze, 1, 1, Comparable, Workers::Options.new, 64)
  end

  def ids
    @engine.worker_statuses.keys.sort
  end

  def events
    @events.pop_many(100, timeout: 0).map { |event| [event.name, event.details] }
  end

  # The newest worker ends so many seconds after its start; the next one comes at once, or when the coordinator is
  # reminded.
  def crash(age = 0)
    newest = ids.last
    @registry[newest].born = Workers::Clock.now - age
    @registry.gone(newest, false, [])
    @registry.start_worker if ids.last < newest
  end

  def test_it_starts_workers_until_the_pool_has_its_size
    2.times { @registry.fill }
    assert_equal [1, 2], ids
    assert_equal({ 1 => [], 2 => [] }, @workers.parts)
    refute_predicate @registry, :empty?
  end

  def test_a_worker_that_cannot_be_made_is_tried_again_later_and_shows
    @workers.refusal = "can't create Thread"
    @registry.gone(1, false, [])
    assert_equal [2], ids
    assert_equal ["ThreadError: can't create Thread"], @engine.metrics.trouble_log.keys
    waiting = []
    @timer_queue.take(:start_worker) { |details| waiting << details }
    assert_equal 1, waiting.size
    @workers.refusal = nil
    @registry.start_worker(*waiting[0])
    assert_equal [2, 4], ids
    assert_equal 1, @engine.metrics.pauses.value
  end

  def test_why_a_worker_cannot_be_made_is_shown_once
    @workers.refusal = NoRoom.new("can't create Thread")
    assert_shown(NoRoom, /the start of a worker of the pool #{@engine.name}: .*can't create Thread/) do
      2.times { @registry.start_worker }
    end
  end

  def test_a_worker_that_ended_unasked_is_replaced_and_counted
    assert @registry.gone(1, false, [])
    assert_equal [2, 3], ids
    assert_equal 1, @engine.metrics.respawns.value
    assert_equal [[:worker_ended, { worker: 1, expected: false }]], events
  end

  def test_a_worker_that_was_meant_to_end_is_not_replaced
    [2, 1].each { |id| assert @registry.gone(id, true, []) }
    assert_empty ids
    assert_predicate @registry, :empty?
    assert_equal 0, @engine.metrics.respawns.value
    assert_equal [true, true], events.map { |_, details| details[:expected] }
  end

  def test_an_unknown_worker_is_ignored
    @engine.board[7] = batch
    refute @registry.gone(7, false, [batch])
    assert_nil @registry.abandon(7)
    assert_nil @registry.lost(7)
    @registry.up(7, @control)
    assert_equal [1, 2], ids
    assert_equal [0, 0], [@engine.metrics.respawns.value, @engine.run_queue.size]
    assert_empty events
  end

  def test_the_time_that_a_worker_was_busy_is_counted_after_its_end
    @engine.worker_statuses[1].end_chunk(500)
    @engine.worker_statuses[2].end_chunk(70)
    @registry.gone(1, true, [])
    @registry.gone(2, false, [])
    assert_equal 570, @engine.metrics.past_busy.value
  end

  def test_parts_that_a_worker_left_go_to_the_run_queue_or_to_the_next_worker_when_that_is_full
    left = [batch, batch]
    fill_begun(1)
    @registry.gone(1, false, left)
    @engine.run_queue.try_pop until @engine.run_queue.size == 1
    assert_same left[0], @engine.run_queue.try_pop
    assert_equal [left[1]], @workers.parts[3]
  end

  def test_parts_that_are_done_already_are_not_run_again
    done = batch.tap { |made| made.completion.fill(1) }
    @registry.gone(1, false, [done])
    assert_equal [0, []], [@engine.run_queue.size, @workers.parts[3]]
  end

  def test_in_a_crash_loop_each_pause_is_twice_as_long_up_to_a_second
    11.times { crash }
    pauses = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.0, 1.0, 1.0]
    assert_equal(pauses, events.filter_map { |name, details| details[:seconds] if name == :paused })
    assert_equal [10, 11], [@engine.metrics.pauses.value, @engine.metrics.respawns.value]
  end

  def test_after_the_pause_the_coordinator_is_told_to_start_a_worker
    crash
    fill_begun
    started = Workers::Clock.now
    @registry.gone(3, false, [left = batch])
    assert_equal [1], ids
    assert_equal [:tick], within(5) { @timer_queue.receive }
    assert_operator Workers::Clock.now - started, :>=, WorkerRegistry::FIRST_RESTART_PAUSE_S
    assert_equal [[:start_worker, [left]]], @timer_queue.take_due
  end

  def test_a_worker_that_lives_long_enough_ends_the_crash_loop
    2.times { crash }
    assert_equal 1, @engine.metrics.pauses.value
    crash(WorkerRegistry::MIN_HEALTHY_LIFE_S)
    crash
    assert_equal 1, @engine.metrics.pauses.value
    crash
    assert_equal 2, @engine.metrics.pauses.value
  end

  def test_workers_that_have_started_are_told_to_stop
    @registry.up(2, @control)
    assert_equal [[:worker_started, { worker: 2 }]], events
    @registry.stop
    assert_equal [:stop], within(5) { @control.receive }
  end

  def test_it_knows_which_workers_run_a_chunk_of_a_dispatch
    @engine.worker_statuses[2].begin_chunk(42, nil)
    busy = []
    [42, 43].each { |ticket| @registry.busy_with(ticket) { |member| busy << [ticket, member.worker_status.id] } }
    assert_equal [[42, 2]], busy
  end

  def test_a_worker_that_died_without_a_message_is_found_and_its_parts_are_given_back
    @workers.dead << 2
    assert_equal [2], @registry.ended
    @engine.board[2] = made = batch
    assert_same made, @registry.lost(2)
    assert_equal [[1, 3], []], [ids, @engine.board.keys]
    assert_empty @registry.ended
    assert_equal [1, [:worker_ended]], [@engine.metrics.respawns.value, events.map(&:first)]
  end

  def test_an_abandoned_worker_is_not_replaced_when_all_are_to_stop
    stuck = Workers::AtExit::STUCK.value
    @registry.stop
    @registry.abandon(1)
    assert_equal [2], ids
  ensure
    Workers::AtExit::STUCK.reset(stuck)
  end

  def test_no_message_is_sent_to_a_worker_that_has_not_started_or_has_ended
    member = @registry[1]
    refute member.tell([:stop].freeze)
    @registry.up(1, @control)
    assert member.tell([:stop].freeze)
    assert_equal [:stop], within(5) { @control.receive }
    @control.close
    refute member.tell([:stop].freeze)
  end

  def test_workers_that_are_left_when_the_pool_ends_are_known_until_they_have_ended
    stuck = Workers::AtExit::STUCK.value
    worker_statuses = [1, 2].map { |id| @registry[id].worker_status }
    2.times { @registry.leave_all }
    assert_equal stuck + 2, Workers::AtExit::STUCK.value
    worker_statuses.each { |worker_status| Workers::AtExit.unstuck(worker_status) }
    assert_equal stuck, Workers::AtExit::STUCK.value
  end

  def test_an_abandoned_worker_is_marked_told_counted_and_replaced
    stuck = Workers::AtExit::STUCK.value
    @registry.up(1, @control)
    worker_status = @engine.worker_statuses[1]
    assert_same worker_status, @registry.abandon(1).worker_status
    assert_predicate worker_status, :abandoned?
    assert_equal [:stop], within(5) { @control.receive }
    assert_equal [2, 3], ids
    assert_equal [1, 0], [@engine.metrics.abandoned.value, @engine.metrics.respawns.value]
    assert_equal [:worker_abandoned, { worker: 1 }], events.last
    assert_equal stuck + 1, Workers::AtExit::STUCK.value
    refute @registry.gone(1, true, []), "its end is not news any more"
  ensure
    Workers::AtExit::STUCK.reset(stuck)
  end
end
