# frozen_string_literal: true

require "test_helper"

class SubscribersTest < Minitest::Test
  Workers = Ratomic::Workers

  def setup
    @caller_runs_cache = Workers::CallerRunsCache.new
    @caller_runs_cache.grant(Comparable, 1, Workers::WorkEstimate::ITEM_WEIGHT, 1000)
    @subscribers = Workers::Subscribers.new(@caller_runs_cache)
    @event = Workers::Event.new(:ended, "pool", nil, {})
  end

  # Whether a caller may run something itself, of which subscribers get no events.
  def cached?
    !@caller_runs_cache.take(Comparable, [1].freeze).nil?
  end

  def test_every_subscriber_gets_events_until_it_is_removed
    queues = Array.new(2) { Ratomic::Queue.new(4) }
    numbers = queues.map { |queue| @subscribers.add(queue) }
    @subscribers.tell(@event)
    @subscribers.remove(numbers[0])
    @subscribers.tell(@event)
    assert_equal [1, 2], queues.map(&:size)
    assert_equal [true, false], queues.map(&:closed?)
    @subscribers.close
    assert_predicate queues[1], :closed?
    assert_predicate @subscribers, :none?
  end

  def test_events_for_a_full_queue_are_counted_as_dropped
    @subscribers.add(Ratomic::Queue.new(1))
    3.times { @subscribers.tell(@event) }
    assert_equal 2, @subscribers.dropped.value
  end

  def test_a_subscriber_that_closes_its_queue_is_removed
    @subscribers.add(queue = Ratomic::Queue.new(1))
    queue.close
    @subscribers.tell(@event)
    assert_predicate @subscribers, :none?
    assert_equal 0, @subscribers.dropped.value
  end

  def test_while_there_are_subscribers_no_caller_finds_its_callable_in_the_cache
    assert cached?
    numbers = Array.new(2) { @subscribers.add(Ratomic::Queue.new(1)) }
    refute cached?
    @subscribers.remove(numbers[0])
    refute cached?
    2.times { @subscribers.remove(numbers[1]) }
    assert cached?
  end
end
