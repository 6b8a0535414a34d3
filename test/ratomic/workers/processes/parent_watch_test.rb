# frozen_string_literal: true

require "test_helper"
require "support/worker_process"

class ParentWatchTest < Minitest::Test
  include WorkerProcess

  def setup
    super
    skip "needs Linux" unless /linux/.match?(RUBY_PLATFORM)
  end

  def teardown
    Process.kill(:KILL, @pid) if @pid && !@ended
    Process.wait(@pid) if @pid && !@ended
  end

  # A process that watches the pipe, says so, and then does what it is given.
  def watching
    reader, writer = IO.pipe
    ready, told = IO.pipe
    @pid = fork do
      GC.disable # a development version of Ruby may crash in it
      writer.close
      Processes::ParentWatch.hold(reader)
      told.syswrite("up")
      yield
    end
    [reader, told].each(&:close)
    assert_equal "up", within(20) { ready.readpartial(2) }
    ready.close
    writer
  end

  # @return [Process::Status]
  def ending
    within(20) { Process.wait2(@pid)[1] }.tap { @ended = true }
  end

  def test_a_busy_process_ends_when_the_writing_end_of_the_pipe_closes
    [-> { sleep }, -> { loop { 1 } }, -> { (7**4_000_000).to_s }].each do |work|
      @ended = false
      writer = watching { work.call && sleep }
      refute Process.wait(@pid, Process::WNOHANG)
      writer.close
      assert_equal "IO", Signal.signame(ending.termsig)
    end
  end

  def test_a_process_ends_at_once_when_its_parent_is_already_gone
    reader, writer = IO.pipe
    writer.close
    @pid = fork do
      Processes::ParentWatch.hold(reader)
      sleep
    end
    reader.close
    refute_nil ending
  end
end
