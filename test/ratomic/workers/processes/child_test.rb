# frozen_string_literal: true

require "test_helper"
require "support/worker_process"

class ChildTest < Minitest::Test
  include WorkerProcess

  # Seconds that a process may take to end by itself.
  PATIENCE_S = 30

  def teardown
    @children&.each do |child, _|
      child.kill
      child.join
      child.close
    end
  end

  # @yield in the process
  # @return [Array] a Child, and the number of its process
  def forked(&block)
    control, data = pairs = Array.new(2) { UNIXSocket.pair }
    pid = fork do
      GC.disable # a development version of Ruby may crash in it
      pairs.map(&:first).each(&:close)
      block.call(control[1], data[1])
    ensure
      exit!(9)
    end
    pairs.map(&:last).each(&:close)
    ends = [control[0], data[0], IO.pipe.each(&:close)[0]]
    child = Processes::Child.new(pid, Process.detach(pid), ends, { 1 => true })
    (@children ||= []) << [child, pid]
    [child, pid]
  end

  def test_a_child_has_sockets_and_the_callables_that_it_inherited
    child, = forked { |control, _| control.write("ready") && sleep }
    assert_equal "ready", within(PATIENCE_S) { child.control.readpartial(9) }
    assert_equal [{ 1 => true }, UNIXSocket], [child.known, child.data.class]
    assert_predicate child, :alive?
  end

  def test_kill_ends_a_process_that_computes
    child, pid = forked { loop { pid } }
    child.kill
    within(PATIENCE_S) { child.join }
    assert gone?(pid)
    refute_predicate child, :alive?
    child.kill # once more does nothing
  end

  def test_a_process_that_reads_end_of_file_ends_after_close
    child, pid = forked { |control, _| control.read && exit!(0) }
    child.close
    assert [child.control, child.data].all?(&:closed?)
    eventually { gone?(pid) }
  end

  def test_close_kills_a_process_that_does_not_end
    child, pid = forked { sleep }
    within(PATIENCE_S) { child.close }
    eventually { gone?(pid) }
  end

  def test_stop_sends_a_stop_request_and_closes_the_socket
    child, pid = forked { |control, data| data.write(control.read) && exit!(0) }
    child.stop
    assert_equal Processes::Wire.frame(Processes::Wire::STOP), within(PATIENCE_S) { child.data.read }
    within(PATIENCE_S) { child.join }
    assert gone?(pid)
  end

  def test_stop_does_nothing_when_the_process_has_ended
    child, = forked { exit!(0) }
    within(PATIENCE_S) { child.join }
    assert_nil child.stop
  end

  def test_the_cause_of_death_says_how_the_process_ended
    { -> { Process.kill(:KILL, Process.pid) && sleep } => "was killed by SIGKILL",
      -> { exit!(7) } => "ended with status 7" }.each do |how, words|
      child, = forked { how.call }
      within(PATIENCE_S) { child.join }
      assert_equal "the worker process #{words} while it ran the item", child.cause_of_death(true)
      assert_equal "the worker process #{words} before it ran the item", child.cause_of_death(false)
    end
    child, = forked { exit!(Processes::Forker::THREAD_ENDED) }
    within(PATIENCE_S) { child.join }
    assert_equal :thread, child.cause_of_death(true)
  end

  def test_a_child_whose_status_was_collected_elsewhere_is_reported_as_ended
    control, data = Array.new(2) { UNIXSocket.pair[0] }
    pid = fork { exit!(0) }
    Process.wait(pid)
    child = Processes::Child.new(pid, Process.detach(pid), [control, data], {})
    within(PATIENCE_S) { child.join }
    assert_equal "the worker process has ended while it ran the item", child.cause_of_death(true)
    child.kill
    child.close
  end
end
