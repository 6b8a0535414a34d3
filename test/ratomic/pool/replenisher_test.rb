# frozen_string_literal: true

require "test_helper"

class PoolReplenisherTest < Minitest::Test
  def setup
    skip_without_ractors
    @port = Ractor::Port.new
    @channel = Ratomic::Pool::ServerChannel.new(Ratomic::Queue.new(64), @port, Ratomic::Queue.new(4), 4)
  end

  def teardown
    @channel&.close
    @thread&.join(5)
    @port&.close
  end

  def start(&factory)
    @thread = Ratomic::Pool::Replenisher.new(@channel, factory).start
  end

  def test_it_makes_what_is_ordered
    start { [:made] }
    3.times { @channel.order }
    3.times do
      assert_equal :made, @channel.inbox.pop(timeout: 5)
      assert_equal [:made], @port.receive
    end
    assert_nil @channel.inbox.pop(timeout: 0)
  end

  def test_it_tries_again_after_a_failure_and_tells_why
    calls = 0
    start { (calls += 1) < 3 ? raise(IOError, "not yet") : [calls] }
    @channel.order
    2.times { assert_equal [:factory_failed, "IOError: not yet"], @channel.inbox.pop(timeout: 5) }
    assert_equal :made, @channel.inbox.pop(timeout: 5)
    assert_equal [3], @port.receive
  end

  def test_a_factory_of_what_cannot_be_lent_is_a_failure
    start { "frozen" }
    @channel.order
    assert_match(/OwnershipError/, @channel.inbox.pop(timeout: 5).last)
  end

  # As the pool's own queue raises when the pool is closed.
  def test_a_factory_that_raises_what_a_closed_queue_raises_is_called_again_after_a_pause
    start { raise ClosedQueueError, "the user's own" }
    @channel.order
    assert_equal [:factory_failed, "ClosedQueueError: the user's own"], @channel.inbox.pop(timeout: 5)
  end

  def test_an_error_that_cannot_tell_its_message_is_a_failure_like_any_other
    error = Class.new(IOError) do
      def message
        raise KeyError
      end
    end
    calls = 0
    start { (calls += 1) == 1 ? raise(error, "not this") : [calls] }
    @channel.order
    assert_equal :factory_failed, @channel.inbox.pop(timeout: 5).first
    assert_equal :made, @channel.inbox.pop(timeout: 5)
  end

  # An error in it is shown by {Ratomic::Workers::OwnThread}, and not a second time by Ruby.
  def test_its_thread_is_one_of_the_librarys_own
    start { [:made] }
    assert_equal "ratomic-pool-replenisher", @thread.name
    assert @thread.thread_variable_get(:fork_safe)
    @channel.order
    assert_equal :made, @channel.inbox.pop(timeout: 5)
    refute @thread.report_on_exception
  end

  def test_it_ends_with_the_pool_also_in_a_pause
    start { raise IOError }
    @channel.order
    @channel.inbox.pop(timeout: 5)
    @channel.close
    assert @thread.join(5)
  end
end
