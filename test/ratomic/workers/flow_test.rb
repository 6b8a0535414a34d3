# frozen_string_literal: true

require "test_helper"

class FlowTest < Minitest::Test
  Flow = Ratomic::Workers::Flow

  def read(flow)
    flow.instance_variable_get(:@read)
  end

  def reader(flow, count)
    thread = Thread.new { count.times { |number| flow.add(number) } }
    until_asleep(thread)
    thread
  end

  # A lane that waits for its group.
  def lane(flow, most)
    @lanes ||= []
    @lanes << Thread.new { flow.group(most) }
    until_asleep(@lanes.last)
    @lanes.last
  end

  # What the lane has got.
  def group_of(lane)
    assert lane.join(5), "the lane waits for ever"
    lane.value
  end

  def teardown
    [@reader, *@lanes].compact.each(&:kill)
  end

  # A flow whose reader calls a block between its look at the window and its wait.
  class Pausing < Flow
    attr_writer :pause

    def wait_for_room
      pause = @pause
      @pause = nil
      pause&.call
      super
    end
  end

  def test_a_result_that_is_yielded_just_before_the_reader_waits_wakes_it
    flow = Pausing.new(1, 1, 1, true)
    consumer = nil
    flow.pause = lambda do
      consumer = Thread.new { flow.yielded }
      eventually { consumer.status != "run" } # it waits for the lock, or has seen nobody who waits
    end
    @reader = Thread.new { 2.times { |number| flow.add(number) } }
    assert @reader.join(5), "the reader sleeps for ever"
    assert consumer.join(5)
  end

  # All wake-ups are lost.
  class Lossy < Thread::ConditionVariable
    def signal = self
    def broadcast = self
  end

  def test_a_wake_up_that_is_lost_delays_the_stream_and_does_not_end_it
    flow = Flow.new(1, 1, 1, true)
    %i[@room @work @place @output].each { |condition| flow.instance_variable_set(condition, Lossy.new) }
    flow.define_singleton_method(:look_interval) { 0.01 }
    @reader = Thread.new do
      2.times { |number| flow.add(number) }
      flow.finish
    end
    @lanes = Array.new(2) do
      Thread.new do
        while (group = flow.group(1))
          flow.deliver(group, group.items)
        end
      end
    end
    taken = within(30) { Array.new(2) { flow.take.tap { flow.yielded } } }
    assert_equal [[0], [1]], taken
    assert_nil within(30) { flow.take }
    [@reader, *@lanes].each { |thread| assert thread.join(10), "it sleeps for ever" }
  end

  # With each place by itself an item of a fast source would cost a change of threads.
  def test_a_reader_that_has_found_the_window_full_goes_on_when_a_quarter_is_free
    flow = Flow.new(1, 1, 8, true)
    @reader = reader(flow, 12)
    assert_equal 8, read(flow)
    flow.yielded
    assert_equal [8, "sleep"], [read(flow), @reader.status]
    flow.yielded
    eventually { read(flow) == 10 }
    until_asleep(@reader)
    2.times { flow.yielded }
    assert @reader.join(5)
  end

  # Such a reader is a thread that the source has started.
  def test_a_reader_hears_that_the_stream_was_left_whether_there_is_room_or_not
    flow = Flow.new(2, 2, 8, true)
    @reader = reader(flow, 9)
    @reader.report_on_exception = false
    flow.close
    assert_raises(ClosedQueueError) { within(5) { @reader.value } }
    roomy = Flow.new(2, 2, 8, true)
    roomy.close
    assert_raises(ClosedQueueError) { within(5) { roomy.add(1) } }
  end

  def test_a_window_is_made_smaller_and_not_larger
    flow = Flow.new(1, 1, 8, true)
    flow.narrow(4)
    flow.narrow(6)
    @reader = reader(flow, 12)
    assert_equal 4, read(flow)
    flow.yielded
    eventually { read(flow) == 5 }
  end

  def test_a_window_of_one_is_filled_again_at_once
    flow = Flow.new(1, 1, 1, true)
    @reader = reader(flow, 3)
    2.times { |number| eventually { read(flow) == number + 1 } && until_asleep(@reader) && flow.yielded }
    assert @reader.join(5)
  end

  def test_groups_have_what_waits_and_leave_idle_workers_their_share
    flow = Flow.new(2, 2, 100, true)
    6.times { |number| flow.add(number) }
    flow.finish
    first = flow.group(10)
    second = flow.group(10)
    assert_equal [[0, 1, 2], [3, 4, 5]], [first.items, second.items]
    assert_equal [0, 3], [first.first, second.first]
    flow.deliver(second, %i[d e f])
    flow.deliver(first, %i[a b c])
    assert_equal [%i[a b c], %i[d e f]], [flow.take, flow.take]
    assert_nil flow.group(10)
    assert_nil flow.take
  end

  # Each group is a dispatch and some changes of threads: of single items they would be dearer than most work.
  def test_while_each_worker_has_a_group_the_next_one_is_waited_for_until_it_is_whole
    flow = Flow.new(1, 2, 100, true)
    flow.add(0)
    busy = flow.group(4)
    waiting = lane(flow, 4)
    3.times { |number| flow.add(number + 1) }
    until_asleep(waiting)
    flow.add(4)
    assert_equal [1, 2, 3, 4], group_of(waiting).items
    last = lane(flow, 4)
    flow.add(5)
    until_asleep(last)
    flow.deliver(busy, [:a])
    flow.deliver(busy, [:b]) # no worker has anything now
    assert_equal [5], group_of(last).items
  end

  # It could wait for ever, where the source waits for a result.
  def test_an_item_of_a_slow_source_is_taken_though_no_other_comes
    flow = Flow.new(1, 2, 100, true)
    3.times do |number|
      waiting = lane(flow, 50)
      flow.add(number)
      assert_equal [number], (group = group_of(waiting)).items
      flow.deliver(group, [number])
      assert_equal [number], flow.take
    end
  end

  def test_a_full_window_is_not_waited_for
    flow = Flow.new(1, 1, 4, true)
    @reader = reader(flow, 5)
    assert_equal 4, within(5) { flow.group(50) }.items.size
  end

  def test_one_lane_waits_for_items_and_passes_the_lead_on
    flow = Flow.new(3, 3, 100, true)
    waiting = Array.new(3) { lane(flow, 1) }
    3.times { |number| flow.add(number) }
    assert_equal [[0], [1], [2]], waiting.map { |lane| group_of(lane).items }.sort
    waiting = Array.new(3) { lane(flow, 1) }
    flow.finish
    assert_equal [nil, nil, nil], waiting.map { |lane| group_of(lane) }
  end

  # The place of a lane that was killed while it had none is nobody's.
  def test_a_lane_that_is_ended_hands_its_place_on
    flow = Flow.new(2, 3, 100, true)
    first, second, third = Array.new(3) { lane(flow, 1) }
    second.kill.join(5)
    first.kill.join(5)
    flow.add(7)
    assert_equal [7], group_of(third).items
  end

  def test_an_item_without_a_result_gives_its_place_back
    flow = Flow.new(1, 1, 4, true)
    @reader = reader(flow, 8)
    group = flow.group(4)
    flow.deliver(group, [:a, *Array.new(3, Ratomic::Workers::DROPPED)])
    assert_equal [:a], flow.take
    eventually { read(flow) == 7 }
  end

  # Where a window is little work: it is not worth to wake a lane.
  def test_a_consumer_that_is_to_run_the_groups_gets_all_that_is_there_and_the_lanes_rest
    flow = Flow.new(2, 2, 8, true)
    waiting = lane(flow, 4)
    flow.by_consumer = true
    @reader = reader(flow, 12)
    groups = []
    taken = within(5) { flow.take { |group| (groups << group.items).last.map(&:to_s) } }
    assert_equal [[(0..7).to_a], (0..7).map(&:to_s)], [groups, taken]
    8.times { flow.yielded }
    assert @reader.join(5)
    flow.finish
    assert_equal (8..11).map(&:to_s), within(5) { flow.take { |group| group.items.map(&:to_s) } }
    assert_nil within(5) { flow.take }
    assert_equal "sleep", waiting.status
  end

  def test_lanes_go_on_where_the_consumer_is_not_to_run_groups_any_more
    flow = Flow.new(2, 2, 8, true)
    flow.by_consumer = true
    waiting = lane(flow, 4)
    3.times { |number| flow.add(number) }
    assert_equal "sleep", waiting.status
    flow.by_consumer = false
    flow.finish
    assert_equal [0, 1], group_of(waiting).items
    consumer = Thread.new { flow.take { raise "is for a lane" } }
    until_asleep(consumer)
    flow.deliver(waiting.value, %i[a b])
    assert_equal %i[a b], within(5) { consumer.value }
  ensure
    consumer&.kill
  end

  # Their results are older.
  def test_a_consumer_waits_for_the_group_of_a_lane_before_it_runs_one
    flow = Flow.new(1, 1, 8, true)
    4.times { |number| flow.add(number) }
    first = flow.group(2)
    flow.finish
    flow.by_consumer = true
    consumer = Thread.new { [flow.take { raise "too early" }, flow.take { |group| group.items.map(&:to_s) }] }
    until_asleep(consumer)
    flow.deliver(first, %i[a b])
    assert_equal [%i[a b], %w[2 3]], within(5) { consumer.value }
  ensure
    consumer&.kill
  end

  def test_a_consumer_that_waits_for_items_hears_of_a_lane_that_cannot_go_on
    flow = Flow.new(1, 1, 8, true)
    flow.by_consumer = true
    consumer = Thread.new { flow.take { raise "has nothing to run" } }
    consumer.report_on_exception = false
    until_asleep(consumer)
    flow.fail_with(KeyError.new("gone"))
    assert_equal "gone", assert_raises(KeyError) { within(5) { consumer.value } }.message
  ensure
    consumer&.kill
  end
end
