# frozen_string_literal: true

require "test_helper"
require "support/worker_process"

class LaunchTest < Minitest::Test
  include WorkerProcess

  # Says where it is.
  WHERE = ->(_) { [Process.pid, Process.ppid, Thread.current.equal?(Thread.main), Processes.inside?, Launch.own_ends] }
  Launch = Ratomic::Workers::Processes::Launch

  def teardown
    @connection&.close
  end

  def launch(**options)
    Processes::InheritedCallables.meet(WHERE)
    @connection = Processes::Connection.new(engine(**options), 3, Launch.call(options[:hooks] || hooks, 3))
  end

  def ask(callable, items)
    @connection.prepare(callable)
    results = []
    assert_equal(:done, within(20) { @connection.run(request(callable, items)) { |result| results << result } })
    results
  end

  def test_a_process_is_a_child_that_runs_items_in_a_thread_of_its_own
    launch
    pid, parent, main, inside, ends = ask(WHERE, [1])[0]
    assert_equal [Process.pid, false, true, nil], [parent, main, inside, ends]
    refute_equal Process.pid, pid
    refute_predicate Processes, :inside?
  end

  def test_a_closed_process_leaves_nothing_behind
    assert_leaves_nothing do
      launch
      pid, = ask(WHERE, [1])[0]
      @connection.close
      eventually { gone?(pid) }
    end
  end

  def test_signals_to_the_process_group_do_not_end_it
    launch
    pid, = ask(WHERE, [1])[0]
    %w[INT TERM HUP USR1].each { |signal| Process.kill(signal, pid) }
    assert_equal pid, ask(WHERE, [1])[0][0]
  end

  def test_a_process_does_not_inherit_the_sockets_of_another_one
    first = Launch.call(hooks, 1)
    launch
    assert_equal Process.pid, ask(WHERE, [1])[0][1]
    # If the second one had the other ends too, the first would not see the end of its file.
    Processes::SocketRegistry.close(first.control, first.data)
    eventually(30) { !first.alive? }
  ensure
    first&.close
  end

  def test_hooks_get_the_number_of_the_worker
    Dir.mktmpdir do |directory|
      path = File.join(directory, "started")
      launch(hooks: hooks(Note.new(path)))
      pid, = ask(WHERE, [1])[0]
      assert_equal "3 #{pid}", File.read(path)
    end
  end
end
