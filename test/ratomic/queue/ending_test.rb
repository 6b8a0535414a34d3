# frozen_string_literal: true

require "test_helper"
require "timeout"

# A wait that is ended from outside: killed, timed out, raised into, interrupted by Ctrl-C. It ends at once, and takes
# no item and no wake-up with it. Many rounds of the same, with chance, are in test/stress.
class QueueEndingTest < Minitest::Test
  Stop = Class.new(StandardError)

  def test_kill_ends_a_blocked_pop_and_a_blocked_push_at_once
    each_blocked_call do |waiter, queue|
      waiter.kill
      within(5) { waiter.join }
      assert_equal 0, queue.num_waiting
    end
  end

  def test_an_exception_from_another_thread_ends_a_blocked_call_at_once
    each_blocked_call do |waiter, queue|
      waiter.raise(Stop, "from outside")
      assert_equal "from outside", within(5) { assert_raises(Stop) { waiter.value } }.message
      assert_equal 0, queue.num_waiting
    end
  end

  def test_timeout_ends_a_blocked_call
    empty = Ratomic::Queue.new(1)
    full = Ratomic::Queue.new(1) << :there
    within(10) do
      assert_raises(Timeout::Error) { Timeout.timeout(0.02) { empty.pop } }
      assert_raises(Timeout::Error) { Timeout.timeout(0.02) { empty.pop_many(2) } }
      assert_raises(Timeout::Error) { Timeout.timeout(0.02) { full.push(:second) } }
    end
    assert_equal [0, 0, 1], [empty.num_waiting, full.num_waiting, full.size]
  end

  def test_ensure_blocks_run_and_can_use_the_queue
    queue = Ratomic::Queue.new(1)
    waiter = Thread.new do
      queue.pop
    ensure
      queue << :from_ensure
    end
    until_asleep(waiter)
    waiter.kill.join
    assert_equal :from_ensure, queue.try_pop
  end

  def test_ctrl_c_ends_a_blocked_call
    %w[queue.pop queue.pop_many(2) full.push(1)].each do |call|
      out = ruby!(<<~RUBY)
        require "ratomic"
        queue = Ratomic::Queue.new(1)
        full = Ratomic::Queue.new(1) << 0
        main = Thread.current
        Thread.new { Thread.pass until main.status == "sleep"; Process.kill(:INT, Process.pid); sleep }
        begin
          #{call}
        rescue Interrupt
          print "interrupted ", queue.num_waiting, full.num_waiting, full.size
        end
      RUBY
      assert_equal "interrupted 001", out, call
    end
  end

  def test_ctrl_c_from_outside_ends_a_call_that_blocks_the_only_thread
    code = "require 'ratomic'; queue = Ratomic::Queue.new(1); puts :ready; $stdout.flush\n" \
           "begin; queue.pop; rescue Interrupt; print queue.num_waiting; end"
    reader, writer = IO.pipe
    pid = spawn(RbConfig.ruby, "-W:no-experimental", "-e", code, out: writer, pgroup: true)
    writer.close
    assert_equal "ready\n", within(20) { reader.gets }
    until_waiting(pid)
    Process.kill(:INT, pid)
    assert_equal "0", within(10) { reader.read }
    assert_predicate Process.wait2(pid).last, :success?
  end

  def test_a_signal_handler_runs_during_a_wait_may_use_the_queue_and_does_not_end_the_wait
    out = ruby!(<<~RUBY)
      require "ratomic"
      queue = Ratomic::Queue.new(2)
      trap(:USR1) { queue.push(:from_the_handler) }
      main = Thread.current
      Thread.new { Thread.pass until main.status == "sleep"; Process.kill(:USR1, Process.pid); sleep }
      print queue.pop
    RUBY
    assert_equal "from_the_handler", out
  end

  # Handlers run before the call returns. This one would empty the list, and then the call puts back what it has taken.
  def test_a_signal_handler_cannot_reach_what_pop_many_has_taken
    ruby!(<<~'RUBY', seconds: 60)
      require "ratomic"
      MANY = 200_000
      queue = Ratomic::Queue.new(MANY)
      armed = false
      trap("USR1") do
        next unless armed
        armed = false # the next one may come anywhere
        ObjectSpace.each_object(Array) { |list| list.clear if !list.frozen? && list.size == MANY && list[0] == "item" }
        raise "handled"
      end
      10.times do
        (MANY - queue.size).times { queue << "item" }
        child = fork { 8.times { |n| sleep(0.001 * (n + 1)) && Process.kill(:USR1, Process.ppid) } }
        begin
          begin
            taken = nil # or the last round's would be found
            armed = true
            taken = queue.pop_many(MANY)
          ensure
            armed = false
          end
        rescue RuntimeError
          abort "#{queue.size} of #{MANY} are left" unless [0, MANY].include?(queue.size)
        end
        Process.wait(child)
        abort "lost" unless taken.nil? || (taken.size == MANY && queue.empty?)
      end
    RUBY
  end

  def test_a_program_ends_although_threads_and_ractors_wait
    waits = "2.times { Thread.new { QUEUE.pop } }; "
    waits += "2.times { Ractor.new { QUEUE.pop } }; " if Ratomic::RACTORS
    count = Ratomic::RACTORS ? 4 : 2
    out = ruby!("require 'ratomic'; QUEUE = Ratomic::Queue.new(1); #{waits}" \
                "Thread.pass until QUEUE.num_waiting == #{count}; print :end", seconds: 20)
    assert_equal "end", out
  end

  def test_an_exception_that_is_masked_until_the_caller_blocks_ends_the_wait
    queue = Ratomic::Queue.new(1)
    waiter = Thread.new do
      Thread.current.report_on_exception = false
      Thread.handle_interrupt(Stop => :on_blocking) { queue.pop }
    end
    until_asleep(waiter)
    waiter.raise(Stop)
    within(5) { assert_raises(Stop) { waiter.value } }
  end

  def test_an_exception_that_came_before_the_wait_and_is_masked_until_the_caller_blocks_ends_it
    queue = Ratomic::Queue.new(1)
    map = Ratomic::Map.new
    completion = Ratomic::Workers::Completion.new(1)
    [-> { queue.pop }, -> { queue.pop(timeout: 60) }, -> { completion.wait(60) }, lambda {
      map.compute(:held) { 1 }
    }].each do |waiting|
      release = hold(map, :held)
      reached = false
      waiter = Thread.new do
        Thread.current.report_on_exception = false
        Thread.handle_interrupt(Stop => :on_blocking) do
          reached = true
          Thread.pass until Thread.pending_interrupt?
          waiting.call
        end
      end
      Thread.pass until reached
      waiter.raise(Stop)
      within(5) { assert_raises(Stop) { waiter.value } }
      release.call
    end
  end

  def test_a_masked_exception_waits_until_the_call_is_served
    queue = Ratomic::Queue.new(1)
    got = []
    waiter = Thread.new do
      Thread.current.report_on_exception = false
      Thread.handle_interrupt(Stop => :never) { got << queue.pop }
    end
    until_asleep(waiter)
    waiter.raise(Stop)
    refute waiter.join(0.05)
    queue << :item
    within(5) { assert_raises(Stop) { waiter.value } }
    assert_equal [:item], got
  end

  def test_a_killed_waiter_passes_its_wake_up_on
    200.times do
      queue = Ratomic::Queue.new(1)
      first = Thread.new { queue.pop }
      until_asleep(first)
      second = Thread.new { queue.pop }
      until_asleep(second)
      queue << :item # chooses the first, which has not run yet
      first.kill
      taken = within(5) { first.value }
      assert_equal :item, within(5) { second.value } unless taken
      second.kill
    end
  end

  def test_a_waiter_that_is_killed_while_it_is_served_leaves_the_item_in_the_queue_or_has_it
    500.times do |round|
      queue = Ratomic::Queue.new(4)
      got = []
      waiter = Thread.new { Thread.handle_interrupt(Object => :on_blocking) { got << queue.pop } }
      until_asleep(waiter)
      queue << round
      waiter.kill
      within(5) { waiter.join }
      assert_equal [round], got + queue.pop_many(4, timeout: 0)
    end
  end

  def test_a_push_that_is_killed_while_it_is_served_pushed_its_item_once_or_not_at_all
    500.times do
      queue = Ratomic::Queue.new(1) << :first
      pushed = false
      waiter = Thread.new { Thread.handle_interrupt(Object => :on_blocking) { pushed = queue.push(:second) && true } }
      until_asleep(waiter)
      assert_equal :first, queue.pop
      waiter.kill
      within(5) { waiter.join }
      assert_equal pushed ? [:second] : [], queue.pop_many(4, timeout: 0)
    end
  end

  def test_a_time_limit_that_passes_while_the_call_is_served_loses_nothing
    300.times do |round|
      queue = Ratomic::Queue.new(1)
      waiter = Thread.new { queue.pop(timeout: 0.0005) }
      Thread.pass
      queue << round
      assert_equal [round], [waiter.value, queue.try_pop].compact
    end
  end

  private

  # Waits until the main thread of the process sleeps in the kernel.
  def until_waiting(pid)
    skip "needs /proc" unless File.directory?("/proc/#{pid}")
    eventually(10) { File.read("/proc/#{pid}/stat").split(") ").last.start_with?("S") }
  end

  def each_blocked_call
    [->(empty, _full) { empty.pop }, ->(empty, _full) { empty.pop(timeout: 60) },
     ->(empty, _full) { empty.pop_many(3) },
     ->(_empty, full) { full.push(1) }, ->(_empty, full) { full << 1 }].each do |call|
      empty = Ratomic::Queue.new(1)
      full = Ratomic::Queue.new(1) << :there
      waiter = Thread.new { call.call(empty, full) }
      waiter.report_on_exception = false
      until_asleep(waiter)
      yield waiter, empty.num_waiting.zero? ? full : empty
      assert_equal [nil, :there, nil], [empty.try_pop, full.try_pop, full.try_pop]
    end
  end

  # Claims a key from another thread; the lambda that is returned releases it.
  def hold(map, key)
    gate = Thread::Queue.new
    owner = Thread.new { map.compute(key) { gate.pop } }
    until_asleep(owner)
    -> { (gate << 1) && owner.join }
  end
end
