# frozen_string_literal: true

require "test_helper"
require "support/worker_process"

class ForkerTest < Minitest::Test
  include WorkerProcess

  # Says where it is.
  WHERE = ->(_) { [Process.pid, Process.ppid, Thread.current.equal?(Thread.main), Processes.inside?, Forker.own_ends] }
  Forker = Ratomic::Workers::Processes::Forker

  COLLECTOR = ->(_) { Processes::GcState.enabled? }

  def teardown
    @connection&.close
  end

  def fork_process(**options)
    [WHERE, COLLECTOR].each { |callable| Processes::InheritedCallables.register(callable) }
    @connection = Processes::Connection.new(engine(**options), 3, Forker.call(options[:hooks] || hooks, 3))
  end

  def ask(callable, items)
    @connection.prepare(callable)
    results = []
    assert_equal(:done, within(20) { @connection.run(request(callable, items)) { |result| results << result } })
    results
  end

  def test_a_process_is_a_child_that_runs_items_in_a_thread_of_its_own
    fork_process
    pid, parent, main, inside, ends = ask(WHERE, [1])[0]
    assert_equal [Process.pid, false, true, nil], [parent, main, inside, ends]
    refute_equal Process.pid, pid
    refute_predicate Processes, :inside?
  end

  def test_a_closed_process_leaves_nothing_behind
    assert_leaves_nothing do
      fork_process
      pid, = ask(WHERE, [1])[0]
      @connection.close
      eventually { gone?(pid) }
    end
  end

  # It is disabled during the fork.
  def test_the_garbage_collector_is_afterwards_as_it_was_here_and_there
    [true, false].each do |enabled|
      enabled ? GC.enable : GC.disable
      fork_process
      assert_equal enabled, Processes::GcState.enabled?
      assert_equal [enabled], ask(COLLECTOR, [1])
      @connection.close
    end
  ensure
    GC.enable
  end

  def test_signals_to_the_process_group_do_not_end_it
    fork_process
    pid, = ask(WHERE, [1])[0]
    %w[INT TERM HUP USR1].each { |signal| Process.kill(signal, pid) }
    assert_equal pid, ask(WHERE, [1])[0][0]
  end

  def test_a_process_does_not_inherit_the_sockets_of_another_one
    first = Forker.call(hooks, 1)
    fork_process
    assert_equal Process.pid, ask(WHERE, [1])[0][1]
    # If the second one had the other ends too, the first would not see the end of its file.
    Processes::SocketRegistry.close(first.control, first.data)
    eventually(30) { !first.alive? }
  ensure
    first&.close
  end

  # As where a child that is forked in C has the other ends.
  def test_at_the_end_of_a_process_each_of_its_sockets_is_shut_down_also_if_another_is_closed
    skip "needs Linux" unless RUBY_PLATFORM.include?("linux")
    pairs = Array.new(2) { UNIXSocket.pair }
    control, data = pairs.map(&:first)
    control.close
    waiter = Forker.send(:waiter, fork { exit! }, [control, data])
    within(20) { waiter.join }
    assert_equal "", within(20) { data.read }
  ensure
    pairs&.flatten&.each(&:close)
  end

  FILES = <<~RUBY
    require "ratomic"
    Processes = Ratomic::Workers::Processes
    HOOKS = Ratomic::Workers.const_get(:Hooks).new(nil, nil)
    GC.disable # it would close them, too
    def files = Dir.children("/proc/self/fd").size
    before = files
  RUBY

  def test_without_room_for_all_its_sockets_none_stays_open
    skip "needs /proc" unless File.directory?("/proc/self/fd")
    out = ruby!(<<~RUBY)
      #{FILES}
      most = Process.getrlimit(:NOFILE)[1]
      Process.setrlimit(:NOFILE, 64, most)
      others = []
      loop { others << File.open("/dev/null") } rescue nil
      left = Array.new(6) do |room|
        others.shift(room).each(&:close)
        Processes::Forker.call(HOOKS, 1)
      rescue Errno::EMFILE
        Process.setrlimit(:NOFILE, most, most)
        left = files - before - others.size
        Process.setrlimit(:NOFILE, 64, most)
        room.times { others << File.open("/dev/null") }
        left
      end
      p left
    RUBY
    assert_equal "[0, 0, 0, 0, 0, 0]\n", out
  end

  def test_a_process_without_room_for_the_thread_that_waits_for_it_is_ended
    skip "needs /proc" unless File.directory?("/proc/self/fd")
    out = ruby!(<<~RUBY)
      #{FILES}
      Thread.define_singleton_method(:new) { |*| raise ThreadError, "no room" }
      begin
        Processes::Forker.call(HOOKS, 1)
      rescue Errno::EAGAIN => e
        p e.message.include?("no room"), files - before
        Process.wait rescue p $!.class
      end
    RUBY
    assert_equal "true\n0\nErrno::ECHILD\n", out
  end

  def test_hooks_get_the_number_of_the_worker
    Dir.mktmpdir do |directory|
      path = File.join(directory, "started")
      fork_process(hooks: hooks(Note.new(path)))
      pid, = ask(WHERE, [1])[0]
      assert_equal "3 #{pid}", File.read(path)
    end
  end
end
