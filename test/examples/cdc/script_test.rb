# frozen_string_literal: true

require "test_helper"
require "fileutils"
require "tmpdir"
require_relative "../../../examples/cdc/cdc"

# examples/cdc/run as its users run it.
class CdcScriptTest < Minitest::Test
  SCRIPT = File.expand_path("../../../examples/cdc/run", __dir__)

  def test_the_recording_is_equal_and_the_status_zero
    result = run_script("--workers", "2")

    assert_equal [0, ""], [result.status.exitstatus, result.err]
    assert_match(%r{^public\.pgbench_accounts +0 +1200 +0 +0 +\d+ +0/1200/0 +equal$}, result.out)
    assert_match(/^6959 changes in 1223 transactions, \d+ bytes, 0 failures/, result.out)
  end

  def test_a_file_that_cannot_be_read_is_one_line_and_status_one
    assert_refused(1, %r{\Arun: No such file or directory.*no/such/file}, "no/such/file")
    assert_refused(1, /\Arun: Is a directory/, __dir__)
  end

  def test_a_truncated_stream_is_one_line_and_status_one
    with_recording(->(bytes) { bytes[0, 100_000] }) do |file|
      assert_refused(1, /\Arun: the stream ends inside the message at byte \d+, \d+ bytes into it\Z/, file)
    end
  end

  def test_a_stream_of_something_else_is_one_line_and_status_one
    assert_refused(1, /\Arun: no pgoutput message at byte 0: unknown message type 0x23\Z/, __FILE__)
  end

  def test_a_malformed_message_is_told_and_status_one
    with_recording(->(bytes) { bytes.sub(/\nU(?=.{4}N\0\x04t)/mn, "\nX") }) do |file|
      result = run_script(file)

      assert_equal 1, result.status.exitstatus
      assert_match(/\Anot decoded: unknown message type 0x58 \(message at byte \d+\)$/, result.err)
      assert_match(/, 1 failures, /, result.out)
    end
  end

  def test_a_number_that_differs_is_told_and_status_one
    with_recording do |file|
      statistics = File.join(File.dirname(file), "statistics.json")
      File.write(statistics, File.read(statistics).sub('"deletes": 10', '"deletes": 11'))
      result = run_script(file)

      assert_equal "public.articles deletes: 10 decoded, 11 by PostgreSQL\n", result.err
      assert_equal 1, result.status.exitstatus
      assert_match(/^public\.articles .* DIFFERENT$/, result.out)
    end
  end

  def test_missing_or_broken_statistics_are_one_line_and_status_one
    with_recording do |file|
      statistics = File.join(File.dirname(file), "statistics.json")
      File.write(statistics, "[]")
      assert_refused(1, /holds no statistics of a recording\Z/, file)
      File.delete(statistics)
      assert_refused(1, /\Arun: No such file or directory.*statistics\.json/, file)
    end
  end

  def test_wrong_options_are_one_line_and_status_two
    assert_refused(2, /\Arun: invalid argument: --workers -1 /, "--workers", "-1")
    assert_refused(2, /\Arun: invalid argument: --workers 0 /, "--workers", "0")
    assert_refused(2, /\Arun: invalid argument: --workers many /, "--workers", "many")
    assert_refused(2, /\Arun: missing argument: --workers /, "--workers")
    assert_refused(2, /\Arun: invalid option: --bogus /, "--bogus")
    assert_refused(2, /\Arun: needless argument: b /, "a", "b")
  end

  private

  def run_script(*arguments)
    run_command(RbConfig.ruby, SCRIPT, *arguments, seconds: 60)
  end

  def assert_refused(status, line, *arguments)
    result = run_script(*arguments)

    assert_equal [status, 1, ""], [result.status.exitstatus, result.err.lines.size, result.out], result.err
    assert_match line, result.err
  end

  # A copy of the recording and its statistics, the stream changed on the way.
  def with_recording(change = :itself.to_proc)
    Dir.mktmpdir do |directory|
      copy = File.join(directory, "stream.pgoutput")
      FileUtils.cp(Dir.glob("#{File.dirname(Cdc::RECORDING)}/*"), directory)
      File.binwrite(copy, change.call(File.binread(copy)))
      yield copy
    end
  end
end
