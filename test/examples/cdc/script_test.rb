# frozen_string_literal: true

require "test_helper"
require "fileutils"
require "tmpdir"
require_relative "../../../examples/cdc/cdc"
require_relative "../support/pgoutput"

# examples/cdc/run as its users run it.
class CdcScriptTest < Minitest::Test
  include Pgoutput

  SCRIPT = File.expand_path("../../../examples/cdc/run", __dir__)

  def test_the_recording_is_equal_and_the_status_zero
    result = run_script("--workers", "2")

    assert_equal [0, ""], [result.status.exitstatus, result.err]
    assert_match(%r{^public\.pgbench_accounts +0 +1200 +0 +0 +\d+ +0/1200/0 +equal$}, result.out)
    assert_match(/^6959 changes in 1223 transactions, \d+ bytes, 0 failures/, result.out)
  end

  def test_a_file_that_cannot_be_read_is_one_line_and_status_one
    assert_refused(1, %r{\Arun: No such file or directory: no/such/file\Z}, "no/such/file")
    assert_refused(1, /\Arun: Is a directory: /, __dir__)
  end

  def test_a_truncated_stream_is_one_line_and_status_one
    with_recording(->(bytes) { bytes[0, 900_000] }) do |file|
      File.delete(File.join(File.dirname(file), "statistics.json"))
      result = run_script(file)

      assert_equal 1, result.status.exitstatus
      assert_match(/\Athe stream ends inside the message at byte \d+, \d+ bytes into it\Z/, result.err)
      assert_match(/^public.articles +\d+ /, result.out) # what was committed before is counted
    end
  end

  def test_a_stream_of_something_else_is_one_line_and_status_one
    assert_refused(1, /\Arun: no pgoutput message at byte 0: unknown message type 0x23\Z/, __FILE__)
  end

  def test_a_malformed_message_is_told_and_status_one
    with_recording(->(bytes) { bytes.sub(/\nU(?=.{4}N\0\x04t)/mn, "\nX") }) do |file|
      result = run_script(file)

      assert_equal 1, result.status.exitstatus
      assert_match(/\Alost: unknown message type 0x58 \(message at byte \d+\): \d+ bytes lost, at least 1 message; if /,
                   result.err)
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

  def test_broken_statistics_are_one_line_and_status_one
    with_recording do |file|
      File.write(File.join(File.dirname(file), "statistics.json"), "[]")
      assert_refused(1, /holds no statistics of a recording\Z/, file)
    end
  end

  def test_a_capture_without_statistics_is_counted_and_compared_with_nothing
    with_recording do |file|
      File.delete(File.join(File.dirname(file), "statistics.json"))
      result = run_script(file)

      assert_equal [0, ""], [result.status.exitstatus, result.err]
      assert_match(/^table +inserts +updates +deletes +truncates +bytes$/, result.out)
      assert_match(/^public\.pgbench_accounts +0 +1200 +0 +0 +\d+$/, result.out)
      assert_match(/^6959 changes in 1223 transactions, \d+ bytes, 0 failures, \d+\.\d\d s$/, result.out)
    end
  end

  def test_rows_prints_each_change_as_a_line_of_json_in_order
    messages = [*transaction(table, insert(10, 1, "a"), update(10, 1, :unchanged, key: [2, nil]), xid: 7),
                *block(9, insert(10, 3, '"ü"'), in_part(10, insert(10, 4, "gone"))), stream_abort(9, 10),
                *transaction(delete(10, key: [1, nil]), truncate(10), xid: 8), stream_commit(9)]
    with_stream(*messages) do |file|
      result = run_script("--rows", "--workers", "2", file)

      assert_equal 0, result.status.exitstatus, result.err
      assert_equal <<~'LINES', result.out
        {"table": "public.notes", "kind": "insert", "row": {"id": 1, "text": "a"}, "old": null}
        {"table": "public.notes", "kind": "update", "row": {"id": 1}, "old": {"id": 2}, "unchanged": ["text"]}
        {"table": "public.notes", "kind": "delete", "row": null, "old": {"id": 1}}
        {"table": "public.notes", "kind": "truncate", "row": null, "old": null}
        {"table": "public.notes", "kind": "insert", "row": {"id": 3, "text": "\"ü\""}, "old": null}
      LINES
      assert_match(/^5 changes in 3 transactions/, result.err)
    end
  end

  def test_what_is_lost_or_comes_again_is_told
    again = transaction(table, insert(10, 1, "a"), insert(99, 1), "Zzz", insert(99, 2), insert(10, 2, "b"))
    with_stream(start, table, insert(10, 1, "a"), *again) do |file|
      result = run_script(file)

      assert_equal 1, result.status.exitstatus
      assert_match(/\Anote: transaction 7 at byte 0 was broken off before its end, and is not counted: /, result.err)
      assert_match(/^lost: unknown message type 0x5a \(message at byte \d+\): 4 bytes lost, at least 1 message; /,
                   result.err)
      assert_match(/^not decoded: the stream never described table 99 \(message at byte \d+\), and 1 more$/, result.err)
      assert_match(/^public.notes +2 /, result.out)
      assert_match(/, 3 failures, /, result.out)
    end
  end

  def test_tables_with_strange_names_are_told_apart_and_do_not_break_a_line
    one = relation(10, "c", { "id" => :int4 }, namespace: "a.b")
    other = relation(11, "b.c", { "id" => :int4 }, namespace: "a")
    third = relation(12, "new\nline \"quoted\"", { "i\nd" => :int4 })
    with_stream(*transaction(one, other, third, insert(10, 1), insert(11, 1), insert(11, 2), insert(12, "x"))) do |file|
      result = run_script(file)

      assert_match(/^"a\.b"\.c +1 /, result.out)
      assert_match(/^a\."b\.c" +2 /, result.out)
      assert_match(/\Anot decoded: no integer in public\."new\\nline ""quoted"""\."i\\nd" \(message at byte \d+\)\Z/,
                   result.err)
    end
  end

  def test_transactions_larger_than_the_memory_are_counted_all_the_same
    rows = Array.new(3000) { |number| insert(10, number, "x" * 1000) }
    with_stream(*block(9, table, *rows), stream_commit(9)) do |file|
      result = run_script("--memory", "1", file)

      assert_equal [0, ""], [result.status.exitstatus, result.err]
      assert_match(/^public.notes +3000 /, result.out)
    end
  end

  def test_wrong_options_are_one_line_and_status_two
    assert_refused(2, /\Arun: invalid argument: --workers -1 /, "--workers", "-1")
    assert_refused(2, /\Arun: invalid argument: --workers 0 /, "--workers", "0")
    assert_refused(2, /\Arun: invalid argument: --workers many /, "--workers", "many")
    assert_refused(2, /\Arun: missing argument: --workers /, "--workers")
    assert_refused(2, /\Arun: invalid option: --bogus /, "--bogus")
    assert_refused(2, /\Arun: needless argument: b /, "a", "b")
    assert_refused(2, /\Arun: invalid argument: --memory 0 /, "--memory", "0")
  end

  private

  def table
    relation(10, "notes", { "id" => :int4, "text" => :text })
  end

  def with_stream(*messages)
    Dir.mktmpdir do |directory|
      file = File.join(directory, "own.pgoutput")
      File.binwrite(file, stream(*messages))
      yield file
    end
  end

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
      FileUtils.cp([Cdc::RECORDING, File.join(File.dirname(Cdc::RECORDING), "statistics.json")], directory)
      File.binwrite(copy, change.call(File.binread(copy)))
      yield copy
    end
  end
end
