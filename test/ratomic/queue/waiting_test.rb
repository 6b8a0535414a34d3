# frozen_string_literal: true

require "test_helper"
require "socket"

# Who waits, who is let through meanwhile, and what wakes the waiters.
class QueueWaitingTest < Minitest::Test
  def test_a_blocked_pop_lets_the_other_threads_of_its_ractor_run_also_the_one_that_pushes
    queue = Ratomic::Queue.new(1)
    popper = Thread.new { queue.pop }
    until_asleep(popper)
    queue << :pushed_by_the_main_thread
    assert_equal :pushed_by_the_main_thread, within(5) { popper.value }
  end

  def test_a_pop_that_expects_an_item_soon_waits_like_any_other
    queue = Ratomic::Queue.new(2)
    assert_nil queue.pop_soon(0)
    assert_nil queue.pop_soon(0.01)
    popper = Thread.new { queue.pop_soon(nil) }
    until_asleep(popper)
    queue << :item
    assert_equal :item, within(5) { popper.value }
    %i[kill close].each do |way|
      popper = Thread.new { queue.pop_soon(5) }
      until_asleep(popper)
      way == :kill ? popper.kill : queue.close
      assert_nil within(5) { popper.value }
    end
    assert_raises(ArgumentError) { queue.pop_soon(-1) }
  end

  def test_a_thread_in_pop_soon_is_served_first
    queue = Ratomic::Queue.new(2)
    served = Thread::Queue.new
    threads = [-> { queue.pop }, -> { queue.pop_soon(5) }].each_with_index.map do |pop, place|
      Thread.new { pop.call.then { served << place } }.tap { |thread| until_asleep(thread) }
    end
    order = Array.new(2) do |item|
      queue << item
      within(5) { served.pop }
    end
    assert_equal [1, 0], order
    within(5) { threads.each(&:join) }
  end

  def test_a_blocked_push_lets_the_other_threads_of_its_ractor_run_also_the_one_that_pops
    queue = Ratomic::Queue.new(1)
    queue << 1
    pusher = Thread.new { queue.push(2) }
    until_asleep(pusher)
    assert_equal 1, queue.size
    assert_equal [1, 2], within(5) { [queue.pop, queue.pop] }
    assert_same queue, pusher.value
  end

  def test_a_blocked_pop_in_a_ractor_lets_the_threads_of_that_ractor_run
    skip_without_ractors
    queue = Ratomic::Queue.new(1)
    seen = in_ractor(queue) do |shared|
      popper = Thread.new { shared.pop }
      Thread.pass until popper.status == "sleep"
      shared << :from_the_same_ractor
      popper.value
    end
    assert_equal :from_the_same_ractor, seen
  end

  # Ruby 4.0 takes an unfinished read for one that has timed out, when it finds the errno of a wait whose time was up.
  def test_waits_whose_time_is_up_end_no_read_of_other_threads_of_the_ractor
    skip_without_ractors
    server = TCPServer.new("127.0.0.1", 0)
    echo = Thread.new { loop { server.accept.then { |io| Thread.new { Echoes.serve(io) } } } }
    answers = within(30) do
      in_ractor(Ratomic::Queue.new(1), server.addr[1]) { |queue, port| Echoes.new(queue, port).call }
    end
    assert_equal({ "1\n" => 4 * Echoes::COUNT }, answers.tally)
  ensure
    echo&.kill
    server&.close
  end

  # Waits for a Queue again and again, beside threads that talk to a server.
  Echoes = Struct.new(:queue, :port) do
    def self.serve(socket)
      while (line = socket.gets)
        socket.write(line)
      end
    ensure
      socket.close
    end

    def call
      waiting = Thread.new { loop { queue.pop(timeout: 0.003) } }
      Array.new(4) { Thread.new { talk } }.flat_map(&:value)
    ensure
      waiting&.kill
    end

    def talk
      socket = TCPSocket.new("127.0.0.1", port)
      Array.new(Echoes::COUNT) do
        socket.write("1\n")
        socket.gets
      end
    rescue IO::TimeoutError => e
      [e.message]
    ensure
      socket&.close
    end
  end
  Echoes::COUNT = 1_000

  def test_items_cross_between_ractors_in_order_both_ways_through_a_queue_of_one
    skip_without_ractors
    there = Ratomic::Queue.new(1)
    back = Ratomic::Queue.new(1)
    echo = Ractor.new(there, back) do |from, to|
      while (item = from.pop)
        to << (item + 1)
      end
    end
    assert_equal (1..2_000).to_a, within(30) { Array.new(2_000) { |item| (there << item) && back.pop } }
    there.close
    echo.value
  end

  def test_a_time_limit_is_kept_and_returns_nil
    queue = Ratomic::Queue.new(1)
    { 0 => 0.0, 0.03 => 0.03 }.each do |timeout, least|
      assert_in_time(least) { assert_nil queue.pop(timeout: timeout) }
      assert_in_time(least) { assert_equal [], queue.pop_many(3, timeout: timeout) }
      queue << :first
      assert_in_time(least) { assert_nil queue.push(:second, timeout: timeout) }
      assert_equal [:first], queue.pop_many(9)
    end
  end

  def test_a_served_wait_returns_before_its_time_limit
    queue = Ratomic::Queue.new(1)
    popper = Thread.new { queue.pop(timeout: 60) }
    until_asleep(popper)
    queue << :item
    assert_equal :item, within(5) { popper.value }
    queue << 1
    pusher = Thread.new { queue.push(2, timeout: 60) }
    until_asleep(pusher)
    queue.pop
    assert_same queue, within(5) { pusher.value }
  end

  def test_waiters_are_served_in_the_order_of_their_coming
    queue = Ratomic::Queue.new(5)
    order = Thread::Queue.new
    waiters = Array.new(5) do |number|
      waiter = Thread.new { order << [number, queue.pop] }
      until_asleep(waiter)
      waiter
    end
    assert_equal 5, queue.num_waiting
    5.times do |item|
      queue << item
      eventually { order.size == item + 1 }
    end
    waiters.each(&:join)
    assert_equal Array.new(5) { |number| [number, number] }, Array.new(5) { order.pop }
    assert_equal 0, queue.num_waiting
  end

  def test_one_item_wakes_one_waiter_and_many_items_wake_many
    queue = Ratomic::Queue.new(9)
    waiters = Array.new(3) { Thread.new { queue.pop } }
    waiters.each { |waiter| until_asleep(waiter) }
    queue << 1
    eventually { waiters.one? { |waiter| !waiter.alive? } }
    assert_equal 2, queue.num_waiting
    queue << 2 << 3
    assert_equal [1, 2, 3], within(5) { waiters.map(&:value).sort }
  end

  def test_pop_many_makes_room_for_as_many_pushers
    queue = Ratomic::Queue.new(3)
    queue << 1 << 2 << 3
    pushers = Array.new(3) { |number| Thread.new { queue.push(10 + number) } }
    pushers.each { |pusher| until_asleep(pusher) }
    assert_equal [1, 2, 3], queue.pop_many(3)
    within(5) { pushers.each(&:join) }
    assert_equal [10, 11, 12], queue.pop_many(3).sort
  end

  def test_clear_lets_blocked_pushers_in
    queue = Ratomic::Queue.new(2)
    queue << 1 << 2
    pushers = Array.new(2) { |number| Thread.new { queue.push(10 + number) } }
    pushers.each { |pusher| until_asleep(pusher) }
    queue.clear
    within(5) { pushers.each(&:join) }
    assert_equal [10, 11], queue.pop_many(9).sort
  end

  def test_close_wakes_every_waiter_in_every_ractor
    skip_without_ractors
    empty = Ratomic::Queue.new(1)
    full = Ratomic::Queue.new(1) << 1
    poppers = Array.new(3) { Ractor.new(empty) { |queue| [queue.pop, queue.pop_many(2)] } }
    pushers = Array.new(3) do
      Ractor.new(full) do |queue|
        queue.push(2)
      rescue ClosedQueueError => e
        e.class.name
      end
    end
    eventually { empty.num_waiting == 3 && full.num_waiting == 3 }
    [empty, full].each(&:close)
    assert_equal [[nil, []]] * 3, within(10) { poppers.map(&:value) }
    assert_equal ["ClosedQueueError"] * 3, within(10) { pushers.map(&:value) }
    assert_equal [1, nil], [full.pop, full.pop]
  end

  def test_close_wakes_every_waiting_thread
    empty = Ratomic::Queue.new(1)
    full = Ratomic::Queue.new(1) << 1
    poppers = Array.new(3) { Thread.new { empty.pop } }
    pushers = Array.new(3) { Thread.new { assert_raises(ClosedQueueError) { full.push(2) } } }
    (poppers + pushers).each { |waiter| until_asleep(waiter) }
    [empty, full].each(&:close)
    within(5) { assert_equal([nil] * 3, poppers.map(&:value)) }
    within(5) { pushers.each(&:join) }
  end

  def test_a_spurious_wakeup_ends_no_wait
    queue = Ratomic::Queue.new(1)
    popper = Thread.new { queue.pop }
    20.times do
      until_asleep(popper)
      popper.wakeup
      Thread.pass
    end
    assert_predicate popper, :alive?
    queue << :item
    assert_equal :item, within(5) { popper.value }
  end

  def test_a_waiter_takes_no_processor_time
    queue = Ratomic::Queue.new(1)
    popper = Thread.new { queue.pop(timeout: 60) }
    until_asleep(popper)
    before = Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID)
    assert_nil popper.join(0.3)
    assert_operator Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID) - before, :<, 0.1
    queue << :item
    assert_equal :item, within(5) { popper.value }
  end

  private

  # The block takes `least` seconds, and not much more.
  def assert_in_time(least)
    start = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    within(least + 5) { yield }
    assert_operator Process.clock_gettime(Process::CLOCK_MONOTONIC) - start, :>=, least
  end
end
