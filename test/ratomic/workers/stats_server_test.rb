# frozen_string_literal: true

require "test_helper"
require "json"
require "socket"
require "tmpdir"
require "support/refusal"
require "support/shown_errors"
require "support/worker_callables"
require "support/worker_pools"

class StatsServerTest < Minitest::Test
  include WorkerCallables
  include WorkerPools
  include ShownErrors
  include Refusal

  SnapshotError = Class.new(StandardError)

  def setup
    super
    @folder = Dir.mktmpdir("ratomic-stats")
    @path = File.join(@folder, "stats.sock")
  end

  def teardown
    @server&.close
    Ratomic::Workers::History.current.stop
    FileUtils.rm_rf(@folder)
    super
  end

  def serve(path = @path)
    @server = Ratomic::Workers.serve_stats(path)
  end

  def read(path = @path)
    JSON.parse(within(5) { UNIXSocket.open(path, &:read) })
  end

  def test_a_client_gets_the_statistics
    pool = new_pool(name: "parsers")
    pool.dispatch_async([1, :raise_error], Misbehave).value
    serve
    2.times do
      found = read["pools"].find { |each| each["name"] == "parsers" }
      assert_equal [2, 1], [found["items"]["finished"], found["failures"]["KeyError"]]
    end
    assert_equal Process.pid, read["pid"]
  end

  def test_only_its_user_may_connect
    serve
    assert_equal "140600", File.stat(@path).mode.to_s(8)
    assert_equal ["stats.sock"], Dir.children(@folder)
  end

  def test_an_error_of_its_own_is_shown_once_and_the_next_reader_is_answered
    serve
    wrong = 2
    answer = Ratomic::Workers::History.current
    history = Ratomic::Workers::History.singleton_class
    original = history.instance_method(:current)
    assert_shown(SnapshotError, /the thread of serve_stats/) do
      history.define_method(:current) { (wrong -= 1).negative? ? answer : raise(SnapshotError, "no figures") }
      2.times { assert_empty within(5) { UNIXSocket.open(@path, &:read) } }
      assert_equal Process.pid, read["pid"]
    end
  ensure
    history.define_method(:current, original)
  end

  def test_it_ends_and_takes_the_socket_along
    assert_leaves_nothing do
      serve.close
      assert_predicate @server.close, :closed?
      Ratomic::Workers::History.current.stop
    end
    refute_path_exists @path
  end

  def test_a_socket_that_nobody_serves_is_replaced_and_nothing_else
    UNIXServer.new(@path).close
    serve
    assert read
    error = assert_raises(ArgumentError) { Ratomic::Workers.serve_stats(@path) }
    assert_match(/a process serves its statistics there already/, error.message)
    File.write("#{@path}.txt", "mine")
    assert_raises(ArgumentError) { Ratomic::Workers.serve_stats("#{@path}.txt") }
    assert_equal "mine", File.read("#{@path}.txt")
    error = assert_raises(ArgumentError) { Ratomic::Workers.serve_stats("#{@path}.none/socket") }
    assert_match(/there is no folder .*\.none/, error.message)
    assert read
  end

  def test_a_client_that_does_not_read_delays_others_only_briefly
    pools = Array.new(40) { |i| new_pool(name: "#{i}#{"x" * 20_000}", backend: :inline).start }
    serve
    lazy = UNIXSocket.new(@path)
    assert_equal pools.size, read["pools"].count { |pool| pool["name"].end_with?("xx") }
  ensure
    lazy&.close
  end

  def test_it_goes_on_when_the_process_had_no_file_descriptor_left
    answer = ruby!(<<~'RUBY', @path)
      require "ratomic"
      require "socket"
      Ratomic::Workers.serve_stats(ARGV[0])
      thread = Thread.list.find { |each| each.name == "ratomic-stats" }
      files = []
      Process.setrlimit(:NOFILE, 40)
      begin
        loop { files << File.open(File::NULL) }
      rescue Errno::EMFILE
        files.pop.close
      end
      client = UNIXSocket.new(ARGV[0])
      sleep(0.01) while thread.alive? && !thread.backtrace.to_a[0].to_s.match?(/\bsleep\b/)
      files.each(&:close)
      puts client.wait_readable(10) ? client.gets : "no answer"
    RUBY
    assert_kind_of Hash, JSON.parse(answer)
  end

  def test_where_no_thread_can_be_made_it_leaves_no_socket
    assert_leaves_nothing do
      refuse("ratomic-stats") { assert_raises(ThreadError) { serve } }
      assert_empty Dir.children(@folder)
    end
    serve
    assert_kind_of Hash, read
  end

  def test_where_the_socket_cannot_get_its_name_it_leaves_none
    servers = UNIXServer.singleton_class
    servers.define_method(:new) { |path| super(path).tap { Dir.mkdir(path.delete_suffix(".#{Process.pid}")) } }
    assert_leaves_nothing { assert_raises(SystemCallError) { serve } }
    assert_equal [File.basename(@path)], Dir.children(@folder) # a folder now has the name
  ensure
    servers.remove_method(:new)
  end

  def test_without_a_thread_for_the_history_a_client_gets_the_statistics
    Ratomic::Workers::History.current.stop
    serve
    refuse("ratomic-history") { assert_kind_of Hash, read }
  end

  def test_it_belongs_to_the_main_ractor
    skip_without_ractors
    refused = Ractor.new(@path) do |path|
      Ratomic::Workers.serve_stats(path)
    rescue NotImplementedError => e
      e.message
    end
    assert_match(/call it in the main Ractor/, refused.value)
    refute_path_exists @path
  end

  def test_a_child_that_outlives_its_parent_does_not_hold_the_socket
    result = ruby(<<~'RUBY', @path)
      require "ratomic"
      Ratomic::Workers.serve_stats(ARGV[0])
      reader, writer = IO.pipe
      child = fork do
        [$stdin, $stdout, $stderr].each { |io| io.reopen(File::NULL) }
        writer.write("up")
        writer.close
        sleep(60)
      end
      reader.read(2)
      print child
      $stdout.flush
      Process.kill(:KILL, Process.pid)
    RUBY
    assert_path_exists @path
    serve
    assert_equal Process.pid, read["pid"]
  ensure
    Process.kill(:KILL, result.out.to_i) if result
  end

  def test_a_child_does_not_serve_and_leaves_the_socket_alone
    out = ruby!(<<~'RUBY', @path)
      require "ratomic"
      require "socket"
      Ratomic::Workers.serve_stats(ARGV[0])
      Process.wait(fork { exit(0) })
      puts File.socket?(ARGV[0])
      puts UNIXSocket.open(ARGV[0], &:read)[/"pid":(\d+)/, 1] == Process.pid.to_s
    RUBY
    assert_equal "true\ntrue\n", out
    refute_path_exists @path
  end

  def test_a_wrong_path_is_refused_with_the_reason
    [nil, 3].each do |path|
      assert_match(/must be a String, not #{path.class}/, assert_raises(TypeError) { serve(path) }.message)
    end
    assert_match(/is a folder/, assert_raises(ArgumentError) { serve(@folder) }.message)
    long = assert_raises(ArgumentError) { serve(File.join(@folder, "a" * 150)) }.message
    assert_match(/#{@folder}.*too long for a socket.*give a shorter path/, long)
    assert_empty Dir.children(@folder)
  end

  def test_inspect_shows_the_path
    serve
    assert_equal "#<Ratomic::Workers::StatsServer #{@path}>", @server.inspect
    assert_equal "#<Ratomic::Workers::StatsServer #{@path} closed>", @server.close.inspect
  end
end
