# frozen_string_literal: true

require "test_helper"

class KeyedFlowTest < Minitest::Test
  KeyedFlow = Ratomic::Workers::KeyedFlow

  def flow_of(numbers, workers: 2, ordered: true, &key)
    flow = KeyedFlow.new(workers, workers, 100, ordered, key || :abs.to_proc)
    numbers.each { |number| flow.add(number) }
    flow.finish
    flow
  end

  def test_lanes_get_groups_of_free_keys_only_and_their_share
    flow = flow_of([1, -1, 2, -2, 3, 3])
    first = flow.group(10)
    assert_equal [1, -1, 2], first.items
    second = flow.group(10)
    assert_equal [3, 3], second.items
    flow.deliver(first, %i[a b c])
    assert_equal %i[a b], flow.take.first(2)
    assert_equal [-2], flow.group(10).items
  end

  # Compares itself while another thread raises an exception into this one.
  class Interrupted
    def eql?(_other) = Thread.current.raise(KeyError, "from outside")
    def hash = 1
  end

  def test_an_exception_from_another_thread_is_not_taken_for_an_error_of_the_key
    flow = KeyedFlow.new(1, 1, 10, true, ->(_) { Interrupted.new })
    assert_raises(KeyError) { flow.add(1) }
  end

  def test_a_key_whose_group_is_done_comes_first_with_what_has_come_meanwhile
    flow = KeyedFlow.new(3, 3, 100, true, :abs.to_proc)
    [1, 2].each { |number| flow.add(number) }
    first = flow.group(1)
    [-1, 3, 1].each { |number| flow.add(number) }
    flow.finish
    assert_equal [2], flow.group(1).items
    flow.deliver(first, [:a])
    assert_equal [[-1], [3]], [flow.group(1).items, flow.group(1).items]
  end

  # All that is left has keys that are with another lane: that is no end.
  def test_a_lane_waits_for_a_key_that_is_busy_also_after_the_end_of_the_source
    flow = flow_of([1, 1, 1])
    first = flow.group(2)
    waiting = Thread.new { flow.group(9) }
    until_asleep(waiting)
    flow.deliver(first, [:a] * first.items.size)
    assert waiting.join(5)
    assert_equal 3, first.items.size + waiting.value.items.size
    flow.deliver(waiting.value, [:b] * waiting.value.items.size)
    assert_nil flow.group(9)
  ensure
    waiting&.kill
  end

  def test_failures_have_the_number_of_their_item
    flow = flow_of([1, 2, 1, 2, 1], workers: 1)
    group = flow.group(9)
    assert_equal [1, 1, 1, 2, 2], group.items
    flow.deliver(group, Array.new(5) { |place| Ratomic::Workers::Failure.new(place, "KeyError", "none") })
    assert_equal [0, 1, 2, 3, 4], flow.take.map(&:index)
  end

  def test_results_without_an_order_come_as_they_are
    flow = flow_of([1, 2, 1, 2], ordered: false)
    first = flow.group(2)
    second = flow.group(2)
    flow.deliver(second, second.items.map(&:to_s))
    assert_equal second.items.map(&:to_s), flow.take
    flow.deliver(first, first.items.map(&:to_s))
    assert_equal first.items.map(&:to_s), flow.take
    assert_nil flow.take
  end

  # No line of a key stays behind: there may be millions of keys.
  def test_nothing_is_kept_of_a_key_that_is_done
    flow = flow_of((1..50).to_a, workers: 1)
    while (group = flow.group(9))
      flow.deliver(group, group.items)
    end
    assert_empty flow.instance_variable_get(:@queues)
    assert_empty flow.instance_variable_get(:@ready)
  end

  # At random: each key in its order, one group at a time, all results.
  def test_keys_stay_in_order_with_lanes_that_take_their_time
    random = Random.new(22)
    flow = KeyedFlow.new(2, 4, 40, true, ->(item) { item[0] })
    items = Array.new(2000) { |number| [random.rand(12).to_s, number] }
    running = Hash.new(0)
    log = Hash.new { |hash, key| hash[key] = [] }
    lock = Thread::Mutex.new
    threads = Array.new(4) do |seed|
      Thread.new(Random.new(seed)) do |chance|
        while (group = flow.group(chance.rand(1..9)))
          keys = group.items.map(&:first).uniq
          lock.synchronize { keys.each { |key| raise "two at a time" if (running[key] += 1) > 1 } }
          Thread.pass if chance.rand < 0.5
          lock.synchronize do
            group.items.each { |key, number| log[key] << number }
            keys.each { |key| running[key] -= 1 }
          end
          flow.deliver(group, group.items)
        end
      rescue StandardError => e
        flow.fail_with(e)
      end
    end
    threads << Thread.new { items.each { |item| flow.add(item) } && flow.finish }
    taken = []
    within(30) { while (ready = flow.take) do ready.each { |item| taken << item && flow.yielded } end }
    assert_equal items, taken
    assert_equal items.group_by(&:first).transform_values { |list| list.map(&:last) }, log
  ensure
    threads&.each(&:kill)
  end

  # The next in the order of the source had to wait for its key.
  def test_a_consumer_runs_what_waited_for_the_key_of_a_lane
    flow = flow_of([1, -1, 2], workers: 1)
    first = flow.group(1)
    second = flow.group(1)
    assert_equal [[1], [2]], [first.items, second.items]
    flow.deliver(first, [:a])
    assert_equal [:a], flow.take
    flow.by_consumer = true
    consumer = Thread.new { flow.take { |group| group.items.map(&:to_s) } }
    until_asleep(consumer)
    flow.deliver(second, [:c])
    assert_equal ["-1", :c], within(5) { consumer.value }
  ensure
    consumer&.kill
  end

  # At random: the consumer and the lanes take turns, as they find.
  def test_nothing_is_lost_where_lanes_and_consumer_take_turns
    kinds = [[KeyedFlow, [:itself.to_proc]], [Ratomic::Workers::Flow, []]]
    kinds.product([true, false], [1, 7, 40]).each do |(kind, key), ordered, limit|
      random = Random.new(limit)
      flow = kind.new(2, 4, limit, ordered, *key)
      items = Array.new(600) { random.rand(9) }
      threads = Array.new(4) { |seed| Thread.new { serve(flow, Random.new(seed)) } }
      threads << Thread.new { items.each { |item| flow.add(item) } && flow.finish }
      taken = []
      within(30) do
        while (ready = flow.take { |group| run_by_consumer(flow, group, random) })
          ready.each { |item| taken << item && flow.yielded }
        end
      end
      assert_equal(ordered ? items : items.sort, ordered ? taken : taken.sort)
    ensure
      threads.each(&:kill).each(&:join)
    end
  end

  def serve(flow, random)
    while (group = flow.group(random.rand(1..9)))
      flow.by_consumer = true if random.rand < 0.3
      Thread.pass if random.rand < 0.5
      flow.deliver(group, group.items)
    end
  rescue StandardError => e
    flow.fail_with(e)
  end

  def run_by_consumer(flow, group, random)
    flow.by_consumer = false if random.rand < 0.2
    Thread.pass if random.rand < 0.2
    group.items
  end
end
