# frozen_string_literal: true

require "test_helper"
require "support/interruption"
require "support/shown_errors"
require "support/worker_callables"

class SubscriptionTest < Minitest::Test
  include WorkerCallables
  include ShownErrors
  include Interruption

  SubscriberError = Class.new(StandardError)

  def setup
    @pool = Ratomic::Workers::Pool.new(size: 2, min_batch: 0, name: "events")
  end

  def teardown
    @pool.kill
  end

  def test_a_block_gets_every_event_until_the_pool_ends
    events = []
    subscription = @pool.subscribe { |event| events << event }
    context = Ractor.make_shareable({ trace: "t-1" })
    @pool.dispatch_async([1, :raise_error, 3], Misbehave, context: context).wait(timeout: 5)
    assert within(5) { @pool.shutdown(timeout: 4) }
    assert subscription.join(timeout: 5)
    assert_equal %i[completed dispatched ended failed worker_ended worker_ended worker_started worker_started],
                 events.map(&:name).sort
    dispatched, failed, completed = %i[dispatched failed completed].map { |name| events.find { |e| e.name == name } }
    [dispatched, failed, completed].each { |event| assert_equal [context, "events"], [event.context, event.pool] }
    assert_equal [3, 1, "KeyError"], [dispatched[:items], failed[:item], failed[:failure].exception_class]
    assert_operator completed[:seconds], :>, 0
    assert_in_delta Time.now.to_f, completed.time, 60
    assert Ractor.shareable?(completed)
    assert_equal completed.dispatch, completed.to_h[:dispatch]
  end

  def test_a_subscriber_whose_thread_is_interrupted_meanwhile_leaves_no_subscription
    subscribers = @pool.start.instance_variable_get(:@cell)[:engine].subscribers
    handed_over = %r{\Areturn of (start in workers/subscription|subscribe in workers/pool)}
    %i[raise kill].each do |way|
      ended = interrupt_everywhere(way, -> { @pool.subscribe { |_| flunk }.cancel }) do |point|
        next subscribers.close if point.match?(handed_over)

        assert_predicate subscribers, :none?, point
        eventually(STATE_TIMEOUT_S, "the end of its thread (#{point})") do
          Thread.list.none? { |thread| thread.name == "ratomic-events-events" }
        end
      end
      assert_operator ended, :>, 20
    end
  end

  def test_a_queue_gets_them_too_and_may_be_read_anywhere
    queue = Ratomic::Queue.new(100)
    subscription = @pool.subscribe(queue)
    @pool.dispatch_async([1], Double).wait(timeout: 5)
    names = within(5) { Array.new(3) { queue.pop.name } }
    assert_includes names, :dispatched
    subscription.cancel
    assert_predicate queue, :closed?
    @pool.dispatch_async([1], Double).wait(timeout: 5)
  end

  def test_closing_the_queue_of_one_subscriber_does_not_affect_the_others
    queues = Array.new(3) { Ratomic::Queue.new(100) }
    queues.each { |queue| @pool.subscribe(queue) }
    queues[0].close
    queues[2].close
    2.times { @pool.dispatch_async([1], Double).wait(timeout: 5) }
    names = []
    eventually { names.concat(queues[1].pop_many(100, timeout: 0.1).to_a.map(&:name)).count(:completed) == 2 }
    assert_equal 2, names.count(:dispatched)
  end

  def test_a_subscription_to_a_pool_that_has_ended_ends_at_once
    unused = Ratomic::Workers::Pool.new(size: 1)
    [@pool, unused].each do |pool|
      pool.shutdown(timeout: 5)
      assert pool.subscribe { |_| flunk }.join(timeout: 5)
      pool.subscribe(queue = Ratomic::Queue.new(1))
      assert_predicate queue, :closed?
    end
  end

  def test_in_a_forked_child_the_subscriptions_of_its_parent_have_ended
    out = ruby!(<<~RUBY)
      require "ratomic"
      module Work; def self.call(item) = item; end
      pool = Ratomic::Workers::Pool.new(size: 1, min_batch: 0)
      pool.subscribe(queue = Ratomic::Queue.new(10))
      pool.dispatch_async([1], Work).value(timeout: 5)
      Process.wait(fork { p queue.closed? })
      p queue.closed?
    RUBY
    assert_equal "true\nfalse\n", out
  end

  def test_a_slow_subscriber_delays_nobody_and_the_events_that_it_misses_are_counted
    @pool.subscribe(Ratomic::Queue.new(1))
    within(10) { 50.times { @pool.dispatch_async([1], Double).wait } }
    assert_operator @pool.stats[:events_dropped], :>, 50
  end

  def test_an_error_of_a_subscriber_does_not_end_its_subscription
    seen = Thread::Queue.new
    @pool.subscribe { |event| seen << event and raise "in the subscriber" }
    2.times { @pool.dispatch_async([1], Double).wait(timeout: 5) }
    within(5) { 4.times { seen.pop } }
    eventually { @pool.stats[:troubles][:count] >= 4 }
    assert_match(/in the subscriber/, @pool.stats[:troubles][:last].keys.join)
  end

  def test_an_error_of_a_subscriber_is_shown_once
    seen = Thread::Queue.new
    @pool.subscribe { |event| seen << event and raise SubscriberError, "in the subscriber" }
    assert_shown(SubscriberError, /a subscriber of the pool events: .*subscription_test.rb/) do
      2.times { @pool.dispatch_async([1], Double).wait(timeout: 5) }
      within(5) { 4.times { seen.pop } }
    end
  end

  def test_a_wrong_time_to_wait_is_refused
    subscription = @pool.subscribe { |_| nil }
    [-1, Float::NAN].each { |wrong| assert_raises(ArgumentError) { subscription.join(timeout: wrong) } }
    refute subscription.join(timeout: 0)
  end

  def test_a_subscription_needs_a_block_or_a_queue
    assert_raises(ArgumentError) { @pool.subscribe }
  end

  def test_wrong_arguments_are_refused_and_spoil_no_dispatch
    { [] => ArgumentError, [1] => TypeError, [[]] => TypeError }.each do |arguments, error|
      assert_match(/Ratomic::Queue/, assert_raises(error) { @pool.subscribe(*arguments) }.message)
    end
    [1, Ratomic::Queue.new(1)].each do |queue|
      assert_match(/not both/, assert_raises(ArgumentError) { @pool.subscribe(queue) { nil } }.message)
    end
    assert_equal [2], @pool.dispatch_async([1], Double).value
  end

  def test_inspect_is_short
    by_block = @pool.subscribe { nil }
    assert_equal "#<Ratomic::Workers::Subscription to a block>", by_block.inspect
    assert_equal "#<Ratomic::Workers::Subscription to a block, ended>", by_block.cancel.inspect
    assert_equal "#<Ratomic::Workers::Subscription to a queue>", @pool.subscribe(Ratomic::Queue.new(1)).inspect
  end
end
