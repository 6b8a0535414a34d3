# frozen_string_literal: true

require "test_helper"

class PoolWaitQueueTest < Minitest::Test
  Waiter = Struct.new(:client, :name)

  def setup
    @length = Ratomic::Counter.new
    @wait_queue = Ratomic::Pool::WaitQueue.new(@length)
    @requests = Array.new(4) { |i| Waiter.new(i % 2, i) }
    @requests.each { |request| @wait_queue.push(request) }
  end

  def test_first_come_first_served
    assert_equal @requests, Array.new(4) { @wait_queue.shift }
    assert @wait_queue.empty?
  end

  def test_everybody_sees_how_many_wait
    assert_equal 4, @length.read
    @wait_queue.shift
    assert @wait_queue.delete(@requests[2])
    refute @wait_queue.delete(@requests[2])
    assert_equal 2, @length.read
    assert_equal @wait_queue.size, @length.read
  end

  def test_the_requests_of_a_client_are_removed
    assert_equal [@requests[1], @requests[3]], @wait_queue.remove_client(1)
    assert_equal 2, @length.read
    assert_equal [@requests[0], @requests[2]], @wait_queue.enum_for(:each).to_a
  end

  def test_equal_requests_are_still_two
    @wait_queue.push(@requests[0].dup)
    assert_equal 5, @wait_queue.size
  end
end
