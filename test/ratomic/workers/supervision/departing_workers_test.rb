# frozen_string_literal: true

require "test_helper"

class DepartingWorkersTest < Minitest::Test
  Workers = Ratomic::Workers
  OwnedResults = Workers::OwnedResults

  # Bodies that are alive as long as they are in the list.
  Backend = Struct.new(:living) do
    def alive?(body)
      living.include?(body)
    end
  end

  def setup
    @mailbox = Workers::Mailbox::QueueMailbox.new
    @timer_queue = Workers::TimerQueue.new(@mailbox)
    @departing = Workers::DepartingWorkers.new(@backend = Backend.new(%i[one two]), @timer_queue)
    @homes = [OwnedResults.new, OwnedResults.new]
    %i[one two].zip(@homes) { |body, home| @departing.expect(body, home, 5) }
  end

  def teardown
    @timer_queue.close
  end

  def test_a_worker_that_has_ended_has_arrived
    refute @departing.look
    @backend.living.delete(:one)
    assert @departing.look
    assert_equal [true, false], @homes.map(&:arrived?)
    refute @departing.look
    refute_predicate @departing, :empty?
    @backend.living.clear
    assert @departing.look
    assert_predicate @departing, :empty?
  end

  def test_a_worker_that_is_late_is_given_up
    @departing.give_up
    assert_equal [false, false], @homes.map(&:arrived?)
    @departing.give_up(Workers::Clock.now + 6)
    assert_equal [nil, nil], @homes.map(&:take)
    assert_predicate @departing, :empty?
  end

  def test_one_reminder_is_enough_for_all
    entries = @timer_queue.instance_variable_get(:@entries)
    assert_equal [:homeless], entries.map(&:what)
    @departing.expect(:three, OwnedResults.new, 1)
    assert_equal 2, @timer_queue.instance_variable_get(:@entries).size
  end

  def test_of_the_workers_that_are_left_some_have_ended
    @backend.living.delete(:two)
    @departing.leave_all
    assert @homes.all?(&:arrived?)
    assert_predicate @departing, :empty?
  end

  def test_heaps_of_ended_ractors_are_collected_after_so_many
    needs_heap_per_ractor
    collections = 0
    @departing.define_singleton_method(:start_gc) { collections += 1 }
    @backend.living.clear
    @departing.look
    more = Workers::DepartingWorkers::MIN_HEAPS_TO_COLLECT - 3
    more.times { |number| end_of([number]) }
    assert_equal 0, collections
    end_of([more])
    assert_equal 1, collections
    end_of([more + 1])
    assert_equal 1, collections
  end

  # As long as a collection is not given a processor, no time of the program is lost by it.
  def test_a_collection_that_had_to_wait_does_not_make_the_pause_longer
    needs_heap_per_ractor
    slept = 0.25
    @departing.define_singleton_method(:start_gc) { sleep slept }
    Workers::DepartingWorkers::MIN_HEAPS_TO_COLLECT.times { |number| end_of([number]) }
    pause = @departing.instance_variable_get(:@collect_at) - Workers::Clock.now
    assert_operator @departing.instance_variable_get(:@collect_at), :>, 0
    assert_operator pause, :<, slept
  end

  private

  # Expects the worker, which has ended already.
  def end_of(body)
    @departing.expect(body, OwnedResults.new, 5)
    @departing.look
  end

  def needs_heap_per_ractor
    skip "this Ruby has one heap for all Ractors" unless Ratomic::HEAP_PER_RACTOR
  end
end
