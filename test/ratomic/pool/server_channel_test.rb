# frozen_string_literal: true

require "test_helper"

class PoolServerChannelTest < Minitest::Test
  def setup
    skip_without_ractors
    @port = Ractor::Port.new
    @channel = Ratomic::Pool::ServerChannel.new(Ratomic::Queue.new(4), @port, Ratomic::Queue.new(2), 2)
  end

  def teardown
    @port&.close
  end

  def test_it_is_shareable_and_belongs_to_its_process
    assert Ractor.shareable?(@channel)
    assert_equal Process.pid, @channel.process
  end

  def test_a_new_object_arrives_before_its_message
    @channel.add(object = [1])
    assert_equal 1, @channel.free
    assert_equal :made, @channel.inbox.pop
    assert_equal [1], @port.receive
    assert_raises(Ractor::MovedError) { object << 2 }
  end

  def test_a_returned_object_wakes_the_server_only_if_a_request_waits
    @channel.send_back([1], 7)
    assert_equal 7, @channel.returns.pop
    assert @channel.inbox.empty?
    @channel.waiting.increment
    @channel.send_back([2], 8)
    assert_equal 8, @channel.returns.pop
    assert_equal :wake, @channel.inbox.pop
  end

  def test_returns_beyond_the_room_for_them_are_messages
    (Ratomic::Pool::ServerChannel::MAX_RETURNS + 1).times { |number| @channel.send_back([], number) }
    assert_equal [:back, Ratomic::Pool::ServerChannel::MAX_RETURNS], @channel.inbox.pop
  end

  def test_the_number_of_free_objects_stays_within_the_size
    3.times { @channel.add([]) }
    assert_equal 2, @channel.free
    4.times { @channel.lent }
    assert_equal 0, @channel.free
  end

  def test_a_closed_channel_takes_nothing
    2.times { @channel.close }
    assert @channel.closed?
    assert_equal 0, @channel.free
    assert_raises(ClosedQueueError) { @channel.add([]) }
    assert_nil @channel.report(:anything)
    assert_nil @channel.order
  end
end
