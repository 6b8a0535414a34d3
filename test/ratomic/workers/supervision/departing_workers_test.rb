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

  def test_heaps_of_ended_ractors_are_collected
    skip "this Ruby has one heap for all Ractors" unless Ratomic::HEAP_PER_RACTOR
    collector = @departing.instance_variable_get(:@heap_collector)
    ended = 0
    collector.define_singleton_method(:ractor_ended) { ended += 1 }
    @backend.living.clear
    @departing.look
    assert_equal 2, ended
  end
end
