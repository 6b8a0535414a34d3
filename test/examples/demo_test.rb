# frozen_string_literal: true

require "test_helper"
require "json"
require "pty"
require "tempfile"
require "tmpdir"
require_relative "../../examples/demo/cli"

class DemoTest < Minitest::Test
  MAIN = File.expand_path("../../examples/demo/main.rb", __dir__)

  # Runs the demo, in a process of its own: it forks before it has any Ractors.
  # @return [Array(Integer, String, String)] status, standard output, standard error
  def demo(*arguments)
    result = run_command(*start(*arguments), seconds: 120)
    [result.status.exitstatus, result.out, result.err]
  end

  def start(*arguments)
    [RbConfig.ruby, "-W:no-experimental", MAIN, *arguments]
  end

  def test_json_is_one_object_with_every_job_in_every_mode
    result = run_command(*start("--json", "--items", "100", "--rounds", "1", "--workers", "2"), seconds: 120)
    assert_predicate result, :success?, result.err
    assert_empty result.err
    report = JSON.parse(result.out)
    assert_equal %w[backend results ruby workers], report.keys.sort
    assert_equal [RUBY_ENGINE, 2], [report["ruby"].split.first, report["workers"]]
    assert_equal Ratomic::RACTORS ? "ractor" : "thread", report["backend"]
    pairs = %w[json cdc erb].product(Demo::Modes::NAMES + Demo::Modes::YARDSTICKS)
    assert_equal(pairs, report["results"].map { |row| row.values_at("job", "mode") })
    report["results"].each { |row| assert_sound row }
  end

  def assert_sound(row)
    assert_equal %w[bytes failures items items_per_second job mode seconds speedup], row.keys.sort
    assert_equal 100, row["items"]
    assert_equal row["job"] == "json" ? 1 : 0, row["failures"]
    assert_operator row["bytes"], :>, 1_000
    assert_in_delta 100 / row["seconds"], row["items_per_second"], 0.02 * row["items_per_second"]
    assert_operator row["speedup"], :>, 0
  end

  def test_the_table_has_a_line_for_each_mode_and_says_which_ruby_ran
    status, output, errors = demo("--items", "50", "--rounds", "2", "--only", "json,erb", "--workers", "2")
    assert_equal 0, status, errors
    assert_match(/\ARuby #{RUBY_VERSION} with(?:out)? YJIT, 2 workers .+, medians of 2 rounds$/, output)
    assert_match(%r{^job +mode +items +MB +failures +seconds +items/s +speed-up$}, output)
    %w[json erb].product(Demo::Modes::NAMES + Demo::Modes::YARDSTICKS).each do |job, mode|
      assert_match(/^#{job} +#{mode} +50 +\d+\.\d +[01] +\d\.\d{3} +[\d,]+ +\d+\.\d\dx$/, output)
    end
    refute_match(/^cdc/, output)
    assert_equal Ratomic::RACTORS, output.lines.grep(/no Ractors/).empty?
    assert_match(/What runs in parallel here is "processes"/, output) if !Ratomic::RACTORS && Demo::Forks.any?
    assert_empty errors
  end

  def test_progress_is_shown_on_a_terminal_and_taken_away_again
    shown = on_terminal(*start("--items", "20", "--rounds", "1", "--only", "json"))
    assert_match(/json: ractors, round 1 of 1 /, shown)
    assert_match(/\r\e\[KRuby #{RUBY_VERSION}/, shown)
  end

  def test_bad_options_are_one_line_and_status_two
    {
      %w[--workers -1] => "--workers must be 1 or more, is -1",
      %w[--workers 257] => "--workers must be 256 or less, is 257", %w[--items 0] => "--items must be 1 or more, is 0",
      %w[--rounds 0] => "--rounds must be 1 or more, is 0", %w[--items many] => "--items many",
      %w[--only json,sql] => "unknown job \"sql\"", %w[--faster] => "--faster", %w[stray] => "\"stray\"",
      %w[--only json --write x] => "--write belongs to the erb job", %w[--workers] => "--workers"
    }.each do |arguments, complaint|
      status, output, errors = demo(*arguments)
      assert_equal [2, ""], [status, output], arguments
      assert_includes errors, complaint
      assert_match(%r{\Abin/demo: .+\n\z}, errors)
      assert_equal 1, errors.lines.size
    end
  end

  def test_the_command_sets_up_and_passes_options_and_status_on
    command = File.expand_path("../../bin/demo", __dir__)
    help = run_command(command, "--help", env: { "RATOMIC_RUBY" => RbConfig.ruby }, seconds: 120)
    assert_predicate help, :success?, help.err
    assert_match(/\AUsage: bin.demo/, help.out)
    refused = run_command(command, "--workers", "-1", env: { "RATOMIC_RUBY" => RbConfig.ruby }, seconds: 120)
    assert_equal [2, ""], [refused.status.exitstatus, refused.out]
  end

  def test_bad_input_is_one_line_and_status_one
    assert_refused(%r{No such file or directory: /nowhere}, "--only", "json", "--events", "/nowhere")
    assert_refused(%r{No such file or directory: /nowhere}, "--only", "cdc", "--stream", "/nowhere")
    assert_refused(%r{/dev/null}, "--only", "erb", "--write", "/dev/null/x")
  end

  def test_a_truncated_stream_is_refused
    with_file(File.binread(Cdc::RECORDING)[0, 20_001]) do |path|
      assert_refused(/byte|offset/, "--only", "cdc", "--stream", path)
    end
  end

  def test_malformed_documents_in_a_file_are_counted_and_refused_after_the_table
    good = Events::Generator.new(seed: 2).document("order", 1)
    with_file("#{good}\n#{good[0, 900]}\n#{good}\n") do |path|
      status, output, errors = demo("--only", "json", "--rounds", "1", "--events", path)
      assert_equal 1, status
      assert_match(/^json +ractors +3 +\d+\.\d +1 /, output)
      assert_match(%r{\Abin/demo: .+: 1 of 3 documents are malformed, the first is document 2: not JSON}, errors)
      assert_equal 1, errors.lines.size
    end
  end

  def test_good_documents_in_a_file_are_repeated_up_to_the_number_of_items
    with_file("#{Events::Generator.new(seed: 2).document("payment", 1)}\n") do |path|
      status, output, = demo("--only", "json", "--rounds", "1", "--items", "30", "--events", path)
      assert_equal 0, status
      assert_match(/^json +threads +30 +0\.0 +0 /, output)
    end
  end

  def test_write_puts_the_pages_into_a_folder
    Dir.mktmpdir do |folder|
      status, output, = demo("--only", "erb", "--items", "10", "--rounds", "1", "--write", folder)
      assert_equal 0, status
      assert_includes output, "10 pages are in #{folder}"
      assert_equal 11, Dir.children(folder).size
    end
  end

  def test_help_lists_every_option
    status, output, = demo("--help")
    assert_equal 0, status
    %w[--items --workers --only --json --write --rounds --seed --events --stream].each do |name|
      assert_includes output, name
    end
  end

  def test_ctrl_c_ends_at_once_with_one_line_and_its_own_status
    # Enough rounds to be busy for minutes; the progress line tells what it is doing when the signal comes.
    ["sequential, warm-up", "ractors, round"].each do |moment|
      shown, status = interrupt_at(moment, *start("--only", "erb", "--items", "400", "--rounds", "500"))
      assert_equal 130, status.exitstatus, shown
      assert_match(%r{\r\e\[Kbin/demo: interrupted\r\n\z}, shown)
      assert_equal 1, shown.lines.size, shown
    end
  end

  private

  def assert_refused(line, *arguments)
    status, output, errors = demo(*arguments)
    assert_equal [1, ""], [status, output]
    assert_match line, errors
    assert_match(%r{\Abin/demo: .+\n\z}, errors)
    assert_equal 1, errors.lines.size
  end

  # Runs a command on a terminal and returns what it showed there.
  def on_terminal(*command)
    PTY.spawn(*command) do |reader, _writer, process|
      shown = +""
      read_all(reader, shown)
      Process.wait(process)
      return shown
    end
  end

  # @return [Array(String, Process::Status)] what was shown, and how the process ended after the signal
  def interrupt_at(moment, *command)
    PTY.spawn(*command) do |reader, _writer, process|
      shown = +""
      within(60) { shown << reader.readpartial(4_096) until shown.include?(moment) }
      Process.kill(:INT, process)
      read_all(reader, shown, 5)
      return [shown, within(5) { Process.wait2(process) }.last]
    ensure
      kill(process)
    end
  end

  def read_all(reader, shown, seconds = 60)
    within(seconds) do
      loop { shown << reader.readpartial(4_096) }
    rescue EOFError, Errno::EIO
      nil # Linux tells the end of a terminal with EIO
    end
  end

  def kill(process)
    Process.kill(:KILL, process)
    Process.wait(process)
  rescue Errno::ESRCH, Errno::ECHILD
    nil # it has ended, as it should
  end

  def with_file(text)
    Tempfile.create("demo") do |file|
      file.binmode
      file.write(text)
      file.close
      yield file.path
    end
  end
end
