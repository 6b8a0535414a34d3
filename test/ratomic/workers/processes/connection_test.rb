# frozen_string_literal: true

require "test_helper"
require "support/worker_process"

class ConnectionTest < Minitest::Test
  include WorkerProcess

  # Runs what its item says.
  module Obey
    def self.call(item)
      case item
      when :pid then Process.pid
      when :die then Process.kill(:KILL, Process.pid) && sleep
      when :leave then Thread.exit
      when :wait then sleep
      else item
      end
    end

    def self.call_many(items)
      items.include?(:raise) ? raise(KeyError) : items
    end
  end

  def teardown
    @connections&.each(&:close)
  end

  def connect(...)
    Processes::Connection.new(engine(...), 1).tap { |connection| (@connections ||= []) << connection }
  end

  def ask(connection, items, callable: Obey, **options)
    results = []
    outcome = within(20) do
      connection.prepare(callable)
      connection.run(request(callable, items, **options)) { |result| results << result }
    end
    [outcome, *results]
  end

  def test_a_process_is_forked_when_it_is_needed_and_kept
    connection = connect
    assert connection.prepare(Obey)
    refute connection.prepare(Obey)
    one, other = Array.new(2) { ask(connection, [:pid]) }
    assert_equal [:done, one], [one[0], other]
    refute_equal Process.pid, one[1]
    assert_equal [:done, 1, 2], ask(connection, [1, 2])
    assert_equal [0, nil], [metrics.respawns.value, connection.death]
  end

  def test_results_from_before_the_death_of_a_process_arrive
    connection = connect
    assert_equal [:died, 1, 2], ask(connection, [1, 2, :die, 4])
    assert_equal ["the worker process was killed by SIGKILL while it ran the item", 1],
                 [connection.death, metrics.respawns.value]
    assert_equal [:died, 1], ask(connection, [1, :leave])
    assert_equal :thread, connection.death
    assert_equal [:done, 3], ask(connection, [3])
  end

  def test_a_process_killed_between_requests_is_replaced
    connection = connect
    10.times do |round|
      Process.kill(:KILL, ask(connection, [:pid])[1])
      assert_equal [:done, round], ask(connection, [round])
    end
  end

  def test_a_run_that_raises_is_reported
    connection = connect
    assert_equal [:done, [1, 2]], ask(connection, [1, 2], kind: Processes::Request::RUN)
    assert_equal [:raised], ask(connection, [:raise], kind: Processes::Request::RUN)
    assert_equal [:raised], ask(connection, [proc {}], kind: Processes::Request::RUN) # it was not even asked
    assert_equal [:done, [3]], ask(connection, [3], kind: Processes::Request::RUN)
  end

  def test_a_process_is_replaced_after_its_number_of_items
    connection = connect({ items: 3 })
    pids = Array.new(9) { ask(connection, [:pid])[1] }
    assert_equal [3, 3, 3], pids.tally.values
    eventually { pids.uniq.map { |pid| gone?(pid) } == [true, true, false] }
    assert_equal 0, metrics.respawns.value
  end

  def test_a_callable_made_after_the_fork_is_copied_or_the_process_is_forked_again
    connection = connect
    pid = ask(connection, [:pid])[1]
    assert_equal [:done, [5, pid]], ask(connection, [1], callable: Later.new(4))
    line = +"a line"
    _, other = ask(connection, [1], callable: ->(_) { [line, Process.pid] })
    assert_equal "a line", other[0]
    refute_equal pid, other[1]
  end

  # Known by name.
  class Later
    def initialize(add)
      @add = add
    end

    def call(item)
      [item + @add, Process.pid]
    end
  end

  def test_killing_the_thread_during_a_request_ends_the_process
    connection = connect
    pid = ask(connection, [:pid])[1]
    thread = Thread.new { connection.run(request(Obey, [:wait])) { nil } }
    eventually { thread.status == "sleep" }
    thread.kill
    within(20) { thread.join }
    connection.close
    eventually { gone?(pid) }
    assert_equal [:done, 1], ask(connection, [1])
  end

  def test_close_ends_the_process
    connection = connect
    pid = ask(connection, [:pid])[1]
    connection.close
    eventually { gone?(pid) }
    connection.close
  end

  def test_retire_runs_the_stop_hook_before_the_process_ends
    Dir.mktmpdir do |directory|
      path = File.join(directory, "stopped")
      connection = connect(hooks: hooks(nil, Note.new(path)))
      pid = ask(connection, [:pid])[1]
      within(20) { connection.retire }
      assert_equal "1 #{pid}", File.read(path)
      eventually { gone?(pid) }
      within(20) { connection.retire } # there is none
    end
  end
end
