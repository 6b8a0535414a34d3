# frozen_string_literal: true

require "test_helper"
require "tmpdir"
require_relative "../../../examples/cdc/cdc"
require_relative "../../../examples/cdc/cluster"

# examples/cdc/live against a real server, which must be gone afterwards, however the script ends.
class CdcLiveTest < Minitest::Test
  SCRIPT = File.expand_path("../../../examples/cdc/live", __dir__)

  def test_without_postgresql_it_says_what_to_install
    error = assert_raises(Cdc::Programs::Missing) { Cdc::Programs.find(path: "/nowhere", usual: ["/nor/here/*"]) }

    assert_match(/\APostgreSQL is not installed here: install the package postgresql/, error.message)
    assert_equal 1, error.message.lines.size
  end

  def test_wrong_arguments_are_refused_before_a_server_is_started
    [%w[many], %w[1], ["--workers", "-3"]].each do |arguments|
      result = run_command(RbConfig.ruby, SCRIPT, *arguments, seconds: 20)

      assert_equal [2, 1, ""], [result.status.exitstatus, result.err.lines.size, result.out]
    end
  end

  def test_what_a_real_server_streams_is_decoded_to_what_it_counted
    in_temporary_directory do |directory|
      result = run_command(RbConfig.ruby, SCRIPT, "--workers", "2", "400", seconds: 120, env: { "TMPDIR" => directory })

      assert_equal [0, ""], [result.status.exitstatus, result.err]
      assert_match(%r{^public\.pgbench_tellers +0 +400 +0 +0 +\d+ +0/400/0 +equal$}, result.out)
      assert_empty Dir.children(directory)
    end
  end

  def test_an_interrupt_stops_the_server
    %w[INT TERM].each do |signal|
      in_temporary_directory do |directory|
        script, server = start(directory)
        Process.kill(signal, script)

        assert_equal 130, within(60) { Process.wait2(script).last.exitstatus }
        refute alive?(server), "the server outlived #{signal}"
        assert_empty Dir.children(directory)
      end
    end
  end

  def test_not_even_a_killed_script_leaves_its_server
    skip "needs setpriv" unless Cdc::Programs.find.command("psql").first.end_with?("setpriv")
    in_temporary_directory do |directory|
      script, server = start(directory)
      Process.kill("KILL", script)
      Process.wait(script)

      eventually(30, "the end of the server") { !alive?(server) }
    end
  end

  private

  def in_temporary_directory
    Cdc::Programs.find
    Dir.mktmpdir do |directory|
      File.chmod(0o755, directory) # the server may be another user's
      yield directory
    end
  rescue Cdc::Programs::Missing => e
    skip e.message
  end

  # Starts the script with more transactions than it will see, waits for rows to change, and returns its process id and
  # the server's.
  def start(directory)
    script = Process.spawn({ "TMPDIR" => directory }, RbConfig.ruby, SCRIPT, "1000000",
                           out: File::NULL, err: File::NULL, pgroup: true)
    slot = File.join(directory, "*/data/pg_replslot/ratomic_check/state")
    eventually(60, "the start of the server") { Dir.glob(slot).any? }
    [script, Integer(File.readlines(Dir.glob(File.join(directory, "*/data/postmaster.pid")).first).first)]
  end

  def alive?(pid)
    Process.kill(0, pid)
    File.exist?("/proc/self/stat") ? !File.read("/proc/#{pid}/stat").match?(/\) Z /) : true
  rescue Errno::ESRCH, Errno::ENOENT
    false
  end
end
