# frozen_string_literal: true

require "test_helper"
require "io/console"
require "open3"
require "pty"
require "stringio"
require "socket"
require "tmpdir"
require "ratomic/workers/top"
require "support/worker_callables"
require "support/worker_pools"

class TopTest < Minitest::Test
  include WorkerCallables
  include WorkerPools

  EXE = File.expand_path("../../../exe/ratomic", __dir__)

  def setup
    super
    @folder = Dir.mktmpdir("ratomic-top")
    @path = File.join(@folder, "stats.sock")
  end

  def teardown
    @server&.close
    Ratomic::Workers::History.current.stop
    FileUtils.rm_rf(@folder)
    super
  end

  def top(*arguments)
    output = StringIO.new
    errors = StringIO.new
    status = within(10) { Ratomic::Workers::Top.new(arguments, output: output, errors: errors).run }
    [status, output.string, errors.string]
  end

  def work
    @server = Ratomic::Workers.serve_stats(@path)
    pool = new_pool(name: "parsers")
    pool.dispatch_async([1, :raise_error], Misbehave).value
    eventually { pool.stats[:workers][:busy].zero? } # a worker says so after it has delivered its results
    hold = Hold.new
    pool.dispatch_async([1, 2, 3], hold, sequential: true, context: "import \e[2J7")
    eventually { hold.begun.value == 1 }
  end

  def test_without_a_terminal_it_is_plain_text_once
    work
    status, text, = top(@path)
    assert_equal 0, status
    assert_match(/^  parsers  2 #{Ratomic::Workers.pool.backend} workers, running$/, text)
    assert_match(/queued 0, in flight 3 items, done 2, busy 1 of 2/, text)
    assert_match(%r{^    \d       WorkerCallables::Hold  \d.* 0/3 +"import \\e\[2J7"$}, text)
    assert_match(/failed 1 times: KeyError: no such key/, text)
    refute_match(/\e/, text)
  end

  def test_it_asks_all_sockets_of_a_folder
    work
    File.write(File.join(@folder, "note.txt"), "no socket")
    assert_includes top(@folder)[1], "parsers"
  end

  def test_a_socket_without_an_answer_is_reported
    status, text, = top(@path)
    assert_equal 1, status
    assert_match(/stats.sock: Errno::ENOENT: No such file/, text)
    work
    status, text, = top(@path, "#{@path}.other")
    assert_equal [0, true], [status, text.include?("parsers")]
    assert_match(/stats.sock.other: Errno::ENOENT/, text)
  end

  def test_an_answer_that_is_no_json_is_reported
    server = UNIXServer.new(@path)
    thread = Thread.new { server.accept.tap { |client| client.write("{\"pools\": [") }.close }
    status, text, = top(@path)
    assert_equal 1, status
    assert_match(/JSON::ParserError/, text)
  ensure
    thread.join
    server.close
  end

  def test_it_says_how_it_is_called
    status, _, errors = top
    assert_equal 1, status
    assert_match(/Usage: ratomic top/, errors)
    assert_raises(OptionParser::InvalidArgument) { top("-i", "0", @path) }
  end

  # The installed program, on a terminal as the kernel makes it.
  def test_a_terminal_is_brought_up_to_date
    work
    text = +""
    command = [RbConfig.ruby, "-I", File.expand_path("../../../lib", __dir__), EXE, "top", "-i", "0.1", @folder]
    PTY.spawn({ "TERM" => "xterm" }, *command) do |output, input, pid|
      output.winsize = [2_000, 60] # rows for every pool that other tests have left to the collector
      within(15) { text << output.readpartial(4096) until text.scan("\e[H").size > 3 && text.include?("items/s") }
      input.write("\u0003") # Ctrl-C
      within(5) { Process.wait(pid) }
    rescue Errno::EIO
      nil
    end
    frame = text.split("\e[H")[-2].delete_suffix("\e[J") # the last whole one: at first the terminal had another size
    lines = frame.split("\r\n").map { |line| line.delete_suffix("\e[K") }
    assert_operator lines.map(&:size).max, :<, 60
    assert_includes text, "parsers"
  end

  # It loads no native extension, so that it starts at once.
  def test_it_needs_nothing_of_the_library_itself
    result = run_command(RbConfig.ruby, "-I", File.expand_path("../../../lib", __dir__), EXE, "top", "/nowhere.sock",
                         env: { "RUBYLIB" => nil })
    assert_equal [1, ""], [result.status.exitstatus, result.err]
    assert_match(/ENOENT/, result.out)
    help = run_command(RbConfig.ruby, EXE)
    assert_equal [true, "Usage: ratomic top"], [help.success?, help.out[0, 18]]
    version = run_command(RbConfig.ruby, EXE, "--version")
    assert_equal [true, "ratomic #{Ratomic::VERSION}\n"], [version.success?, version.out]
    assert_equal 1, run_command(RbConfig.ruby, EXE, "bottom").status.exitstatus
  end

  def test_an_interrupt_while_it_waits_for_an_answer_shows_no_backtrace
    UNIXServer.open(@path) do |server|
      paths = [@path] * 30 # each is waited for, so that the signal finds it waiting
      command = [RbConfig.ruby, "-I", File.expand_path("../../../lib", __dir__), EXE, "top", *paths]
      _, output, waiter = Open3.popen2e(*command)
      within(30) { server.accept }
      Process.kill("INT", waiter.pid)
      assert_equal [130, ""], within(30) { [waiter.value.exitstatus, output.read] }
    ensure
      output&.close
    end
  end
end
