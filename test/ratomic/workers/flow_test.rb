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

  def teardown
    @reader&.kill
  end

  # With each place by itself an item of a fast source would cost a change of threads.
  def test_a_reader_that_has_found_the_window_full_goes_on_when_a_quarter_is_free
    flow = Flow.new(1, 8, true, nil)
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

  def test_a_window_of_one_is_filled_again_at_once
    flow = Flow.new(1, 1, true, nil)
    @reader = reader(flow, 3)
    2.times { |number| eventually { read(flow) == number + 1 } && until_asleep(@reader) && flow.yielded }
    assert @reader.join(5)
  end

  def test_lanes_get_groups_of_free_keys_only_and_their_share
    flow = Flow.new(2, 100, true, :abs.to_proc)
    [1, -1, 2, -2, 3, 3].each { |number| flow.add(number) }
    first = flow.group(10)
    assert_equal [[1, -1, 2], [1, 2]], [first.items, first.keys]
    second = flow.group(10)
    assert_equal [3, 3].first(second.items.size), second.items
    flow.deliver(first, %i[a b c])
    assert_equal %i[a b c], flow.take
    assert_equal [-2], flow.group(1).items
  end
end
