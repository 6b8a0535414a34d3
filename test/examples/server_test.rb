# frozen_string_literal: true

require "test_helper"
require_relative "../../examples/server/shop"
require_relative "../../examples/server/inventory"
require_relative "../../examples/server/load"

class ServerExampleTest < Minitest::Test
  def setup
    @inventory = Inventory.new
  end

  def teardown
    @server&.stop(timeout: 0)
    @inventory.stop
  end

  def start(**options)
    @server = Server.new(Shop.open(@inventory.port), **options).start
  end

  # Stops it once: what the test is about.
  def stop(**options)
    server = @server
    @server = nil
    within(30) { server.stop(**options) }
  end

  def get(path, **options)
    within(20) { Load.get(@server.port, path, **options) }
  end

  def in_background(path, count: 1)
    port = @server.port
    Array.new(count) { Thread.new { Load.get(port, path) } }
  end

  def until_begun(count)
    eventually(20, "#{count} requests") { @server.figures.begun.value == count }
  end

  def test_it_answers
    start
    assert_equal [200, "Hello\n"], get("/")
    assert_equal [200, "#{(7 * 37) % 101}\n"], get("/stock/7")
    assert_equal [200, "x" * 5_000], get("/echo", body: "x" * 5_000)
    assert_equal 404, get("/nowhere").first
    assert_equal 100, JSON.parse(get("/catalogue/100").last).size
    assert_equal({ 200 => 4, 404 => 1 }, @server.figures.statuses.to_h)
  end

  def test_many_requests_on_one_connection
    start
    within(20) do
      TCPSocket.open("127.0.0.1", @server.port) do |socket|
        3.times do |i|
          socket.write("POST /echo HTTP/1.1\r\nContent-Length: 1\r\n\r\n#{i}")
          assert_equal ["HTTP/1.1 200 OK\r\n", "Content-Length: 1\r\n", "\r\n", i.to_s],
                       [socket.gets, socket.gets, socket.gets, socket.read(1)]
        end
        socket.write("GET / HTTP/1.0\r\n\r\n")
        assert_includes socket.read, "Connection: close"
      end
    end
    assert_equal 1, @server.figures.accepted.value
  end

  def test_bytes_that_are_no_request_are_refused
    start
    { "nonsense\r\n\r\n" => 400, "GET / HTTP/1.1\r\nno header\r\n\r\n" => 400,
      "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n" => 400, "GET /#{"a" * 9_000} HTTP/1.1\r\n\r\n" => 400,
      "POST / HTTP/1.1\r\nContent-Length: 9999999\r\n\r\n" => 413,
      "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" => 501,
      "GET / HTTP/1.1\r\n#{"A: b\r\n" * 200}\r\n" => 431 }.each do |text, status|
      line = within(20) do
        TCPSocket.open("127.0.0.1", @server.port) do |socket|
          socket.write(text)
          socket.gets
        end
      end
      assert_match(%r{\AHTTP/1.1 #{status} }, line, text[0, 40])
    end
    assert_equal 200, get("/").first
  end

  def test_the_workers_share_no_connection_to_the_inventory
    start(workers: 2, threads: 4)
    threads = in_background("/stock/1", count: 40)
    assert_equal [200], within(30) { threads.map { |thread| thread.value.first }.uniq }
    assert_includes 1..4, @inventory.connections # two for each worker
  end

  def test_a_graceful_stop_finishes_what_runs_and_what_waits_and_takes_no_more
    start(workers: 2, threads: 1)
    threads = in_background("/slow/300", count: 6)
    until_begun_at_least(2)
    eventually(20, "all connections") { @server.figures.accepted.value == 6 }
    port = @server.port
    assert_equal :graceful, stop(timeout: 20)
    assert_equal [[200, "after 300 ms\n"]] * 6, within(20) { threads.map(&:value) }
    assert_raises(Errno::ECONNREFUSED) { TCPSocket.new("127.0.0.1", port) }
  end

  # There is room for one in the Queue: the others are connected, and not yet accepted.
  def test_a_graceful_stop_serves_connections_that_were_not_accepted_yet
    start(workers: 1, threads: 1, waiting: 1)
    sockets = Array.new(6) { TCPSocket.new("127.0.0.1", @server.port) }
    sockets.each { |socket| socket.write("GET /slow/20 HTTP/1.1\r\nConnection: close\r\n\r\n") }
    assert_equal :graceful, stop(timeout: 20)
    assert_equal ["after 20 ms"] * 6, within(20) { sockets.map { |socket| socket.read.lines.last.chomp } }
  ensure
    sockets&.each(&:close)
  end

  def test_nothing_that_was_accepted_is_lost_when_it_stops_under_load
    start(workers: 2, threads: 4)
    load = Load.new(@server.port, "/slow/1", clients: 8)
    until_begun_at_least(50)
    figures = @server.figures
    assert_equal :graceful, stop(timeout: 20)
    outcome = within(20) { load.finish }
    assert_equal figures.accepted.value, outcome.answered
    assert_equal outcome.connected - figures.accepted.value, outcome.unanswered
    assert_equal figures.begun.value, figures.answered.value
  end

  def test_a_connection_that_was_only_kept_open_does_not_hold_up_a_stop
    start
    TCPSocket.open("127.0.0.1", @server.port) do |socket|
      socket.write("GET / HTTP/1.1\r\n\r\n")
      within(20) { assert_match(/200 OK/, socket.gets) }
      assert_equal :graceful, stop(timeout: 4)
    end
  end

  def test_a_worker_that_hangs_is_stopped_by_force
    start(workers: 2, threads: 1)
    threads = in_background("/slow/600000", count: 3)
    until_begun(2)
    eventually(20, "all connections") { @server.figures.accepted.value == 3 }
    assert_equal :forced, stop(timeout: 0.2)
    assert_equal [nil] * 3, within(20) { threads.map(&:value) }
  end

  def test_a_crashed_worker_is_replaced_and_the_others_go_on
    start(workers: 2, threads: 1)
    3.times do |i|
      assert_nil get("/crash")
      eventually(20, "the notice of the crash") { @server.figures.crashes.value == i + 1 }
      assert_equal [200], within(20) { in_background("/slow/1", count: 6).map { |thread| thread.value.first }.uniq }
    end
    assert_equal :graceful, stop(timeout: 20)
  end

  def test_it_leaves_nothing_behind
    assert_leaves_nothing do
      start(workers: 2, threads: 2)
      get("/stock/3")
      get("/crash")
      stop(timeout: 20)
      eventually(20) { @inventory.idle? }
    end
  end

  private

  def until_begun_at_least(count)
    eventually(20, "#{count} requests") { @server.figures.begun.value >= count }
  end
end

# The same, each thread with a Fiber scheduler, and connections in Fibers.
class ServerInFibersTest < ServerExampleTest
  def start(**options)
    super(fibers: 1, **options)
  end

  def test_one_thread_serves_many_connections_at_a_time
    start(workers: 1, threads: 1, fibers: 32)
    threads = in_background("/slow/600000", count: 20)
    until_begun(20)
    assert_equal [200, "Hello\n"], get("/")
    assert_equal :forced, stop(timeout: 0.2)
    assert_equal [nil] * 20, within(20) { threads.map(&:value) }
  end

  def test_no_more_than_there_is_room_for
    start(workers: 1, threads: 1, fibers: 2, waiting: 8)
    threads = in_background("/slow/600000", count: 5)
    until_begun(2)
    eventually(20, "all connections") { @server.figures.accepted.value == 5 }
    assert_equal 2, @server.figures.begun.value
    assert_equal :forced, stop(timeout: 0.2)
    assert_equal [nil] * 5, within(20) { threads.map(&:value) }
  end

  def test_fibers_share_the_connections_of_their_pool
    start(workers: 1, threads: 1, fibers: 16)
    assert_equal [200], within(30) { in_background("/stock/1", count: 40).map { |thread| thread.value.first }.uniq }
    assert_includes 1..2, @inventory.connections
  end

  # The answer is more than the buffers of the sockets take at once: its Fiber waits until the client reads.
  def test_a_client_that_does_not_read_holds_up_no_other
    start(workers: 1, threads: 1, fibers: 8)
    @server.instance_variable_get(:@listener).setsockopt(:SOCKET, :SNDBUF, 4_096) # its connections have the same
    body = "x" * 1_000_000
    TCPSocket.open("127.0.0.1", @server.port) do |socket|
      head = "POST /echo HTTP/1.1\r\nConnection: close\r\nContent-Length: #{body.size}\r\n\r\n"
      within(20) { socket.write(head, body) }
      until_begun(1)
      5.times { assert_equal [200, "Hello\n"], get("/") }
      eventually(20, "5 answers") { @server.figures.answered.value >= 5 }
      assert_equal 5, @server.figures.answered.value, "the answer was written although nobody has read it"
      assert within(30) { socket.read }.end_with?("\r\n\r\n#{body}"), "the answer is not whole"
    end
  end
end

class ServerScriptTest < Minitest::Test
  RUN = File.expand_path("../../examples/server/run", __dir__)

  def test_a_port_that_does_not_exist_is_refused
    %w[80x 65536 -1].each do |port|
      result = run_command(RbConfig.ruby, RUN, "--port=#{port}")
      line = "examples/server/run: invalid argument: --port #{port} (must be a number of 0 to 65535) (see --help)\n"
      assert_equal [2, line], [result.status.exitstatus, result.err]
    end
  end

  [[], ["--fibers", "16", "--threads", "1"]].each do |options|
    define_method("test_the_script_checks_itself_#{options.join("_").tr("-", "")}") do
      result = assert_success(run_command(RbConfig.ruby, RUN, "--seconds", "1", *options, seconds: 90))
      assert_match(/a worker crashed and was replaced; the next answer is 200/, result.out)
      assert_match(/stopped under load \(graceful\): \d+ answered, 0 lost/, result.out)
    end
  end

  def test_the_script_serves_until_it_is_told_to_end
    read, write = IO.pipe
    pid = spawn(RbConfig.ruby, RUN, "--port", "0", in: File::NULL, out: write, err: File::NULL)
    write.close
    port = within(30) { read.each_line.find { |line| line.start_with?("http") }[/:(\d+)/, 1] }
    assert_equal 200, within(20) { Load.get(Integer(port), "/") }.first
    Process.kill(:TERM, pid)
    assert_equal "graceful\n", within(30) { read.read }
    status = within(20) { Process.wait2(pid).last }
    pid = nil
    assert_predicate status, :success?
  ensure
    Process.kill(:KILL, pid) if pid
  end
end
