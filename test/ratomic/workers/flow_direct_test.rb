# frozen_string_literal: true

require "test_helper"

class FlowDirectTest < Minitest::Test
  Flow = Ratomic::Workers::Flow
  KeyedFlow = Ratomic::Workers::KeyedFlow
  DirectGroup = Ratomic::Workers::FlowDirect::DirectGroup

  # A future that the test completes.
  class Promise
    attr_reader :items, :cancelled

    def initialize(items)
      @items = items
      @lock = Thread::Mutex.new
      @done = Thread::ConditionVariable.new
    end

    def complete(results = @items.map(&:to_s))
      @lock.synchronize do
        @results = results
        @done.broadcast
      end
    end

    def ready?
      !@results.nil?
    end

    def wait(timeout:)
      @lock.synchronize { @done.wait(@lock, timeout) unless @results }
      ready?
    end

    def slots
      wait(timeout: 5)
      @results
    end

    def cancel
      @cancelled = true
    end
  end

  # Two lanes, a window of 8: shares of 4.
  def flow_of(kind = Flow, *key, limit: 8, ordered: true, group_size: 4)
    flow = kind.new(2, 2, limit, ordered, *key)
    flow.group_size = group_size
    @promises = []
    flow.dispatch = ->(items) { @promises.push(Promise.new(items)).last }
    flow
  end

  def reader(flow, items)
    @reader = Thread.new do
      items.each { |item| flow.add(item) }
      flow.complete
    end
    until_asleep(@reader)
  end

  # A leader, which watches. It ends when it takes over.
  def lane(flow)
    (@lanes ||= []) << Thread.new { flow.group(4) }
    @lanes.last
  end

  # A leader that runs what it takes over, or takes.
  def working_lane(flow)
    (@lanes ||= []) << Thread.new do
      while (group = flow.group(4))
        DirectGroup === group ? flow.settle(group, true) : flow.deliver(group, group.items.map(&:to_s))
      end
    end
    @lanes.last
  end

  def take(flow)
    within(5) { flow.take.tap { |results| flow.yielded(results.size) } }
  end

  def teardown
    [@reader, *@lanes].compact.each(&:kill)
  end

  def dispatched
    @promises.map(&:items)
  end

  def test_a_reader_that_has_filled_the_window_dispatches_what_is_there
    flow = flow_of
    reader(flow, 0..19)
    assert_equal [[0, 1, 2, 3], [4, 5, 6, 7]], dispatched
    @promises[1].complete
    @promises[0].complete
    assert_equal [%w[0 1 2 3], %w[4 5 6 7]], [take(flow), take(flow)]
    eventually { dispatched == (0..15).each_slice(4).to_a }
  end

  def test_a_reader_that_is_killed_dispatches_nothing_more
    flow = flow_of
    reader(flow, 0..20)
    known = @promises.size
    flow.finish
    assert_equal known, @promises.size
  end

  def test_what_a_lane_has_taken_over_is_cancelled_at_the_end
    flow = flow_of
    reader(flow, 0..20)
    thread = lane(flow)
    eventually { flow.instance_variable_get(:@taken_over).any? }
    thread.kill.join
    flow.close
    assert(@promises.all?(&:cancelled))
  end

  def test_at_its_end_the_reader_dispatches_the_rest
    flow = flow_of
    reader(flow, 0..8)
    @promises.each(&:complete)
    taken = [take(flow), take(flow)]
    assert @reader.join(5)
    assert_equal [8], dispatched.last
    resting = working_lane(flow)
    @promises.last.complete
    assert_equal [*"0".."8"], [*taken, take(flow)].flatten
    assert_nil within(5) { flow.take }
    assert resting.join(5), "the lane waits for ever"
  end

  # What does not pay for a dispatch by itself is too little; what takes long is too much.
  def test_where_groups_of_a_share_are_too_much_work_lanes_take_them
    flow = flow_of(group_size: 1)
    reader(flow, 0..19)
    assert_empty @promises
    assert_equal [0], flow.group(1).items
  end

  def test_items_of_which_one_is_a_group_are_for_the_lanes
    flow = flow_of(limit: 2, group_size: 1)
    reader(flow, 0..3)
    assert_empty @promises
    assert_equal [0], flow.group(1).items
  end

  def test_items_that_become_dearer_are_for_the_lanes
    flow = flow_of
    flow.dispatch = lambda do |items|
      flow.group_size = 0
      @promises.push(Promise.new(items)).last
    end
    reader(flow, 0..19)
    assert_equal [[0, 1, 2, 3]], dispatched
    assert_instance_of DirectGroup, flow.group(4)
    assert_equal [4, 5, 6, 7], flow.group(4).items
  end

  # The reader waits for its source, with an item that no other item follows, or the consumer for something else.
  def test_lanes_take_over_where_nothing_goes_on
    flow = flow_of
    source = Thread::Queue.new
    @reader = Thread.new { while (item = source.pop) do flow.add(item) end }
    9.times { |number| source << number }
    eventually { @promises.size == 2 }
    @promises.each(&:complete)
    take(flow)
    eventually { flow.instance_variable_get(:@read) == 9 }
    first = lane(flow)
    assert first.join(5), "the lane does not take over"
    assert_instance_of DirectGroup, first.value
    flow.settle(first.value, true)
    assert_equal [8], within(5) { flow.group(4) }.items
    assert_equal %w[4 5 6 7], take(flow)
  end

  def test_a_consumer_that_waits_for_a_group_gets_it_from_the_lane_that_has_taken_over
    flow = flow_of
    reader(flow, 0..19)
    consumer = Thread.new { take(flow) }
    taker = lane(flow)
    assert taker.join(5)
    @promises[0].complete
    flow.settle(taker.value, true)
    assert_equal %w[0 1 2 3], within(5) { consumer.value }
  ensure
    consumer&.kill
  end

  def test_a_consumer_that_waits_hears_of_a_group_that_the_reader_has_dispatched
    flow = flow_of
    consumer = Thread.new { flow.take }
    until_asleep(consumer)
    reader(flow, 0..19)
    @promises[0].complete
    assert_equal %w[0 1 2 3], within(5) { consumer.value }
  ensure
    consumer&.kill
  end

  # While it dispatches, it waits until half of the window is free.
  def test_a_reader_that_is_not_to_dispatch_any_more_needs_less_room
    flow = flow_of
    reader(flow, 0..19)
    @promises[0].complete
    within(5) { flow.take }
    flow.yielded(2)
    assert_equal 8, flow.instance_variable_get(:@read)
    flow.by_consumer = true
    eventually { flow.instance_variable_get(:@read) == 10 }
  end

  def test_without_an_order_the_group_that_is_done_comes_first
    flow = flow_of(ordered: false)
    reader(flow, 0..19)
    @promises[1].complete
    assert_equal %w[4 5 6 7], take(flow)
  end

  # The reader sleeps until two of the window's results are yielded.
  def test_the_consumer_dispatches_what_has_waited_for_the_key_of_a_direct_group
    flow = flow_of(KeyedFlow, ->(number) { number % 2 })
    reader(flow, [1, 3, 5, 7, 9, 11, 13, 0, 2, 4])
    assert_equal [[1, 3, 5, 7], [0]], dispatched
    @promises.each(&:complete)
    assert_equal %w[1 3 5 7], within(5) { flow.take }
    assert_equal [9, 11, 13], dispatched[2]
    assert_equal "sleep", @reader.status
    @promises.last.complete
    assert_equal %w[9 11 13 0], within(5) { flow.take }
    flow.yielded(8)
    assert @reader.join(5)
    assert_equal [2, 4], dispatched.last
  end

  # A reader whose source rescues what is raised in it.
  def rescuing_reader(flow)
    @reader = Thread.new do
      20.times { |number| flow.add(number) }
    rescue StandardError => e
      @rescued = e
    end
  end

  def test_an_error_of_a_dispatch_reaches_the_consumer_and_not_the_source
    flow = flow_of
    flow.dispatch = ->(_items) { raise KeyError, "no pool" }
    rescuing_reader(flow)
    until_asleep(@reader)
    assert_equal "no pool", assert_raises(KeyError) { within(5) { flow.take } }.message
    assert_nil @rescued
  end

  # A key's `hash` is called when items go into their queues.
  def test_a_key_that_raises_reaches_the_consumer_and_not_the_source
    bad = Class.new { def hash = raise(KeyError, "no hash") }.new
    flow = flow_of(KeyedFlow, ->(number) { number == 5 ? bad : number })
    rescuing_reader(flow)
    assert_equal "no hash", assert_raises(KeyError) { within(5) { flow.take } }.message
    assert_nil @rescued
  end

  # As a `Timeout` around the yield does, of a source that goes on afterwards.
  def test_an_interrupt_of_the_source_loses_no_group
    flow = flow_of
    enough = Class.new(StandardError)
    flow.dispatch = lambda do |items|
      @promises << Promise.new(items)
      @reader.raise(enough) if @promises.size == 1
      @promises.last
    end
    interrupted = []
    @reader = Thread.new do
      9.times do |number|
        flow.add(number)
      rescue enough
        interrupted << number
      end
      flow.complete
    end
    assert @reader.join(5)
    assert_equal [[0, 1, 2, 3], [4, 5, 6, 7]], dispatched
    @promises.each(&:complete)
    assert_equal [%w[0 1 2 3], %w[4 5 6 7]], [take(flow), take(flow)]
    assert_equal [8], interrupted
  end

  # @return [Thread] that yields numbers, and notes what was raised into it; it waits for room in the queue
  def waiting_reader(flow, room, raised)
    flow.dispatch = lambda do |items|
      room.pop
      @promises << Promise.new(items)
      @promises.last
    end
    @reader = Thread.new do
      12.times do |number|
        flow.add(number)
      rescue Exception => e # rubocop:disable Lint/RescueException -- that of `Timeout` is no StandardError
        raised << e.class
      end
      flow.complete
    end
    until_asleep(@reader)
    @reader
  end

  def test_an_exception_for_a_source_that_waits_for_room_in_the_queue_comes_afterwards
    errors = [Class.new(StandardError), Class.new(Exception)] # rubocop:disable Lint/InheritException -- see above
    errors.each do |error|
      flow = flow_of
      @promises.clear
      reader = waiting_reader(flow, room = Thread::Queue.new, raised = [])
      reader.raise(error)
      2.times { room << true }
      eventually { @promises.size == 2 }
      until_asleep(reader)
      assert_equal [error], raised
      results = Array.new(2) { |number| @promises[number].complete && take(flow) }
      assert_equal [%w[0 1 2 3], %w[4 5 6 7]], results
      reader.kill.join
    end
  end

  def test_a_source_that_is_killed_while_it_waits_for_room_in_the_queue_ends_the_stream
    flow = flow_of
    waiting_reader(flow, Thread::Queue.new, []).kill
    assert @reader.join(5)
    assert_match(/killed while it waited for room/, assert_raises(ThreadError) { within(5) { flow.take } }.message)
  end

  def test_what_is_under_way_is_cancelled_at_the_end
    flow = flow_of
    reader(flow, 0..19)
    flow.close
    assert_equal [true, true], @promises.map(&:cancelled)
  end

  def test_what_was_dispatched_while_the_stream_was_left_is_cancelled
    flow = flow_of
    flow.dispatch = lambda do |items|
      flow.close
      @promises.push(Promise.new(items)).last
    end
    rescuing_reader(flow)
    assert @reader.join(5)
    assert_instance_of ClosedQueueError, @rescued
    assert_equal [true], @promises.map(&:cancelled)
  end

  def test_a_failure_has_the_number_of_its_item
    flow = flow_of
    reader(flow, 0..19)
    failures = Array.new(4) { |place| Ratomic::Workers::Failure.new(place, "KeyError", "none") }
    @promises[0].complete(%w[0 1 2 3])
    @promises[1].complete(failures)
    assert_equal [%w[0 1 2 3], [4, 5, 6, 7]], [take(flow), take(flow).map(&:index)]
  end
end
