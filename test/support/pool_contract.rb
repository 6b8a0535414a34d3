# frozen_string_literal: true

require "timeout"

# The contract of Pool and LocalPool. The including test defines new_pool(size:, timeout:), which makes a pool of
# mutable objects.
module PoolContract
  def setup
    super
    @pools = []
  end

  def teardown
    @pools.each(&:close)
    super
  end

  # A pool that is closed after the test.
  def pool(size: 2, timeout: 5)
    new_pool(size: size, timeout: timeout).tap { |pool| @pools << pool }
  end

  # A thread that is blocked in the pool.
  def waiter(pool, timeout: nil, &block)
    block ||= ->(_) {}
    thread = Thread.new do
      Thread.current.report_on_exception = false
      pool.with(timeout: timeout, &block)
    end
    until_asleep(thread)
    thread
  end

  # Whether the pool lends exactly as many objects as it has.
  def assert_full(pool, seconds = 5)
    eventually(seconds, "a full pool (#{pool.inspect})") { pool.available == pool.size }
    taken = Array.new(pool.size) { pool.checkout(timeout: seconds) }
    assert_equal pool.size, taken.compact.size
    assert_nil pool.checkout(timeout: 0)
    taken.each { |object| pool.checkin(object) }
  end

  def test_with_lends_an_object_and_returns_what_the_block_returns
    pool = self.pool
    assert_equal([:done, 1], pool.with { [:done, pool.available] })
    assert_full(pool)
  end

  def test_with_without_a_block_raises
    assert_raises(LocalJumpError) { pool.with }
  end

  def test_an_error_of_the_block_comes_through_as_it_is_and_the_object_goes_back
    pool = self.pool(size: 1)
    error = IOError.new("mine")
    assert_same(error, assert_raises(IOError) { pool.with { raise error } })
    assert_raises(Timeout::Error) { pool.with { raise Timeout::Error, "the block's own" } }
    assert_raises(Ratomic::TimeoutError) { pool.with { raise Ratomic::TimeoutError, "the block's own" } }
    assert_full(pool)
  end

  def test_every_way_out_of_the_block_gives_the_object_back
    pool = self.pool(size: 1)
    pool.with { break }
    catch(:out) { pool.with { throw :out } }
    [1].each { pool.with { next } }
    leave_by_return(pool)
    assert_full(pool)
  end

  def leave_by_return(pool)
    pool.with { return nil }
  end

  def test_a_timeout_around_the_block_gives_the_object_back
    pool = self.pool(size: 1)
    assert_raises(Timeout::Error) { Timeout.timeout(0.05) { pool.with { sleep } } }
    assert_full(pool)
  end

  # Whether the pool lends the same object after a thread that used it was ended by the block: it is marked, and the
  # mark looked for. A pool of one.
  def kept?(pool, **options)
    held = Thread::Queue.new
    thread = Thread.new do
      Thread.current.report_on_exception = false
      pool.with(**options) do |object|
        object.instance_variable_set(:@marked, true)
        held << true
        sleep
      end
    end
    held.pop
    yield thread
    begin
      within(5) { thread.join }
    rescue Exception # rubocop:disable Lint/RescueException -- however it ended
      refute thread.alive?
    end
    marked?(pool)
  end

  def marked?(pool)
    pool.with { |object| object.instance_variable_get(:@marked) } ? true : false
  end

  # Marks the object, and leaves as the block does.
  def leave(pool, **options)
    pool.with(**options) do |object|
      object.instance_variable_set(:@marked, true)
      yield
    end
  end

  # What a Timeout may raise.
  TooLate = Class.new(StandardError)

  def test_an_object_whose_user_was_killed_is_not_lent_again
    pool = self.pool(size: 1)
    refute(kept?(pool, &:kill))
    refute(kept?(pool) { |thread| thread.raise(Interrupt) })
    refute(kept?(pool) { |thread| thread.raise(Timeout::Error) })
    assert_full(pool)
  end

  def test_an_object_whose_block_timed_out_is_not_lent_again
    pool = self.pool(size: 1)
    assert_raises(Timeout::Error) { Timeout.timeout(0.05) { leave(pool) { sleep } } }
    refute(marked?(pool))
    assert_raises(TooLate) { Timeout.timeout(0.05, TooLate) { leave(pool) { sleep } } }
    refute(marked?(pool))
    assert_raises(Timeout::Error) { leave(pool) { Timeout.timeout(0.05) { sleep } } }
    refute(marked?(pool))
    assert_full(pool)
  end

  def test_a_block_that_leaves_by_itself_keeps_the_object_in_the_pool
    pool = self.pool(size: 1)
    leave(pool) { :done }
    assert(marked?(pool))
    [IOError, Ratomic::TimeoutError, NotImplementedError].each do |kind|
      assert_raises(kind) { leave(pool) { raise kind } }
      assert marked?(pool), kind.name
    end
    catch(:out) { leave(pool) { throw :out } }
    [1].each { leave(pool) { break } }
    leave_with_return(pool)
    begin
      raise Interrupt
    rescue Interrupt # which is not what ends the block
      leave(pool) { break }
    end
    assert(marked?(pool))
  end

  def leave_with_return(pool)
    leave(pool) { return nil }
  end

  def test_a_timeout_that_the_block_has_handled_itself_keeps_the_object
    pool = self.pool(size: 1)
    leave(pool) do
      Timeout.timeout(0.05) { sleep }
    rescue Timeout::Error
      :handled
    end
    assert(marked?(pool))
  end

  def test_with_keep_the_object_stays_in_any_case
    pool = self.pool(size: 1)
    assert(kept?(pool, keep: true, &:kill))
    assert_raises(Timeout::Error) { Timeout.timeout(0.05) { leave(pool, keep: true) { sleep } } }
    assert(marked?(pool))
  end

  def test_two_checkouts_are_two_objects
    pool = self.pool
    first = pool.checkout
    second = pool.checkout
    refute_same first, second
    assert_equal 0, pool.available
    pool.checkin(first)
    assert_equal 1, pool.available
    pool.checkin(second)
    assert_full(pool)
  end

  def test_checkout_returns_nil_when_time_is_up
    pool = self.pool(size: 1, timeout: 0.05)
    pool.with do
      assert_nil pool.checkout
      assert_nil pool.checkout(timeout: 0.01)
    end
    assert_full(pool)
  end

  def test_a_timeout_of_zero_does_not_wait
    pool = self.pool(size: 1, timeout: 0)
    object = pool.checkout
    refute_nil object
    within(10) do
      assert_nil pool.checkout
      assert_raises(Ratomic::TimeoutError) { pool.with {} }
    end
    pool.checkin(object)
    assert_equal(:lent, pool.with { :lent })
  end

  def test_with_raises_when_time_is_up_and_says_the_numbers
    pool = self.pool(size: 1)
    pool.with do
      error = within(10) { assert_raises(Ratomic::TimeoutError) { pool.with(timeout: 0.05) { flunk } } }
      assert_kind_of Ratomic::Error, error
      assert_match(/within 0.05 s/, error.message)
      assert_match(/\b1 are/, error.message)
    end
  end

  def test_without_a_timeout_a_waiter_waits_until_something_comes_back
    pool = self.pool(size: 1)
    thread = nil
    pool.with { thread = waiter(pool) { :served } }
    assert_equal :served, within(5) { thread.value }
  end

  def test_waiters_are_served_in_the_order_in_which_they_came
    pool = self.pool(size: 1)
    order = Thread::Queue.new
    threads = pool.with { Array.new(8) { |i| waiter(pool) { order << i } } }
    within(5) { threads.each(&:join) }
    assert_equal (0..7).to_a, Array.new(8) { order.pop }
  end

  def test_the_other_threads_run_while_one_waits
    pool = self.pool(size: 1)
    pool.with do
      thread = waiter(pool)
      assert_equal 10, within(5) { Array.new(10) { |i| Thread.new { i }.value }.size }
      thread.kill
      within(5) { thread.join }
    end
    assert_full(pool)
  end

  def test_a_killed_waiter_takes_nothing_with_it
    pool = self.pool(size: 1)
    thread = nil
    pool.with do
      thread = waiter(pool)
      thread.kill
      assert within(5) { thread.join }
    end
    assert_full(pool)
  end

  def test_an_exception_from_outside_ends_the_wait
    pool = self.pool(size: 1)
    pool.with do
      thread = waiter(pool)
      thread.raise(KeyError, "from outside")
      assert_raises(KeyError) { within(5) { thread.join } }
      assert_raises(Timeout::Error) { within(10) { Timeout.timeout(0.05) { pool.checkout(timeout: nil) } } }
    end
    assert_full(pool)
  end

  def test_a_killed_holder_gives_back
    pool = self.pool(size: 1)
    held = Thread::Queue.new
    thread = Thread.new { pool.with { (held << true) && sleep } }
    held.pop
    thread.kill
    within(5) { thread.join }
    assert_full(pool)
  end

  def test_checkin_refuses_an_object_that_was_not_checked_out
    pool = self.pool(size: 1)
    assert_raises(Ratomic::OwnershipError) { pool.checkin(Object.new) }
    assert_raises(Ratomic::OwnershipError) { pool.checkin("frozen") }
    assert_raises(Ratomic::OwnershipError) { pool.checkin(nil) }
    assert_raises(Ratomic::OwnershipError) { pool.checkin(BasicObject.new) }
    assert_full(pool)
  end

  def test_another_pools_object_is_refused
    pool = self.pool(size: 1)
    other = self.pool(size: 1)
    object = other.checkout
    assert_raises(Ratomic::OwnershipError) { pool.checkin(object) }
    other.checkin(object)
    assert_full(pool)
    assert_full(other)
  end

  def test_the_same_object_is_not_taken_back_twice
    pool = self.pool
    object = pool.checkout
    pool.checkin(object)
    error = assert_raises(Ratomic::OwnershipError) { pool.checkin(object) }
    assert_match(/before/, error.message)
    assert_full(pool)
  end

  def test_checkin_refuses_an_object_that_with_has_lent
    pool = self.pool(size: 1)
    pool.with { |object| assert_raises(Ratomic::OwnershipError) { pool.checkin(object) } }
    assert_full(pool)
  end

  def test_an_object_can_be_checked_in_by_another_thread
    pool = self.pool(size: 1)
    object = pool.checkout
    within(5) { Thread.new { pool.checkin(object) }.join }
    assert_full(pool)
  end

  def test_close_wakes_every_waiter_with_a_clear_error
    pool = self.pool(size: 1)
    pool.with do
      threads = Array.new(3) { waiter(pool) }
      pool.close
      threads.each do |thread|
        error = assert_raises(Ratomic::ClosedError) { within(5) { thread.join } }
        assert_match(/closed/, error.message)
      end
    end
  end

  def test_a_closed_pool_lends_nothing_and_closing_it_again_does_nothing
    pool = self.pool
    refute pool.closed?
    assert_nil pool.close
    assert pool.closed?
    assert_nil pool.close
    assert_raises(Ratomic::ClosedError) { pool.with {} }
    assert_raises(Ratomic::ClosedError) { pool.checkout }
    assert_raises(Ratomic::ClosedError) { pool.checkout(timeout: 0) }
    assert_match(/closed/, pool.inspect)
  end

  def test_an_object_that_is_lent_when_the_pool_closes_can_still_be_given_back
    pool = self.pool
    object = pool.checkout
    assert_equal(:finished, pool.with { pool.close && nil || :finished })
    assert_nil pool.checkin(object)
  end

  def test_it_never_lends_more_than_its_size
    pool = self.pool(size: 3)
    out = Ratomic::Counter.new
    most = Ratomic::Map.new
    threads = Array.new(8) do
      Thread.new do
        100.times do
          pool.with do
            now = out.increment
            most.upsert(:most, now) { |before| [before, now].max }
            Thread.pass
            out.decrement
          end
        end
      end
    end
    within(30) { threads.each(&:join) }
    assert_operator most[:most], :<=, 3
    assert_equal 0, out.read
    assert_full(pool)
  end

  def test_arguments_that_make_no_sense_are_refused
    assert_raises(ArgumentError) { new_pool(size: 0, timeout: 1) }
    assert_raises(ArgumentError) { new_pool(size: (2**20) + 1, timeout: 1) }
    assert_raises(wrong_type) { new_pool(size: "2", timeout: 1) }
    assert_raises(wrong_type) { new_pool(size: 2, timeout: "1") }
    assert_raises(ArgumentError) { new_pool(size: 2, timeout: -1) }
    assert_raises(ArgumentError) { pool.checkout(timeout: -1) }
    assert_raises(TypeError) { pool.with(timeout: :soon) {} }
  end

  def test_it_is_frozen_and_shareable
    pool = self.pool
    assert pool.frozen?
    assert Ractor.shareable?(pool)
    assert_match(/size=2 available=2/, pool.inspect)
  end

  def test_it_works_in_another_ractor
    skip_without_ractors
    pool = self.pool
    assert_equal(%i[lent checked_out], in_ractor(pool) do |mine|
      lent = mine.with { |object| object ? :lent : nil }
      object = mine.checkout
      checked_out = object.nil? ? nil : :checked_out
      mine.checkin(object)
      [lent, checked_out]
    end)
    assert_full(pool)
  end
end
