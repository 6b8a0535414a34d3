# frozen_string_literal: true

require "test_helper"

class PoolLinkTest < Minitest::Test
  def setup
    skip_without_ractors
    @port = Ractor::Port.new
    @link = Ratomic::Pool::ServerChannel.new(Ratomic::Queue.new(4), @port, Ratomic::Queue.new(2), 2)
  end

  def teardown
    @port&.close
  end

  def test_it_is_shareable_and_belongs_to_its_process
    assert Ractor.shareable?(@link)
    assert_equal Process.pid, @link.process
  end

  def test_a_new_object_arrives_before_its_message
    @link.bring(object = [1])
    assert_equal 1, @link.free
    assert_equal :made, @link.inbox.pop
    assert_equal [1], @port.receive
    assert_raises(Ractor::MovedError) { object << 2 }
  end

  def test_a_returned_object_wakes_the_server_only_if_somebody_waits
    @link.bring_back([1], 7)
    assert_equal 7, @link.returns.pop
    assert @link.inbox.empty?
    @link.waiting.increment
    @link.bring_back([2], 8)
    assert_equal 8, @link.returns.pop
    assert_equal :returned, @link.inbox.pop
  end

  def test_returns_beyond_the_room_for_them_are_messages
    (Ratomic::Pool::ServerChannel::RETURNS + 1).times { |number| @link.bring_back([], number) }
    assert_equal [:back, Ratomic::Pool::ServerChannel::RETURNS], @link.inbox.pop
  end

  def test_what_is_free_is_counted_within_the_size
    3.times { @link.bring([]) }
    assert_equal 2, @link.free
    4.times { @link.lent }
    assert_equal 0, @link.free
  end

  def test_a_closed_link_takes_nothing
    2.times { @link.close }
    assert @link.closed?
    assert_equal 0, @link.free
    assert_raises(ClosedQueueError) { @link.bring([]) }
    assert_nil @link.report(:anything)
    assert_nil @link.order
  end
end
