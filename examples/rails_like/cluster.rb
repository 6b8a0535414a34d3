# frozen_string_literal: true

require "rbconfig"
require "socket"

# Puma's master with its processes.
class Cluster
  # The cluster has not reached the expected state in time.
  class Hangs < StandardError; end

  SERVER = File.expand_path("server.rb", __dir__)
  TIMEOUT_S = 120

  # @return [Integer]
  attr_reader :port

  # @param folder [String] for its log
  # @param paths [Array<String>] where Puma is
  # @param preload [Boolean] whether the application is loaded before the fork
  # @param processes [Integer]
  def initialize(folder, paths, preload:, processes: 2)
    @port = TCPServer.open("127.0.0.1", 0) { |socket| socket.addr[1] }
    @log = File.join(folder, "puma.log")
    @ledger = File.join(folder, "requests")
    @processes = processes
    @pid = Process.spawn({ "PORT" => @port.to_s, "PROCESSES" => processes.to_s, "PRELOAD" => preload ? "yes" : "no",
                           "LEDGER" => @ledger, "PUMA" => paths.join(File::PATH_SEPARATOR), "NIO4R_PURE" => "true" },
                         RbConfig.ruby, SERVER, chdir: __dir__, in: File::NULL, out: [@log, "a"], err: [@log, "a"])
    wait("its start") { booted.size == processes }
  rescue Hangs
    kill
    raise
  end

  # @return [String]
  def log
    File.exist?(@log) ? File.read(@log) : ""
  end

  # @return [Array<Integer>] ids of all processes that have served, the last ones last
  def booted
    log.scan(/Worker \d+ \(PID: (\d+)\) booted/).flatten.map(&:to_i)
  end

  # @return [Array<Integer>] ids of those that serve now
  def serving
    booted.last(@processes)
  end

  # @return [Integer] requests of all processes that have ended in good order
  def requests
    File.exist?(@ledger) ? File.readlines(@ledger).sum { |line| line.split.last.to_i } : 0
  end

  # Asks the master for a phased restart. With a preloaded application Puma does a hot one instead.
  # @return [void]
  # @raise [Hangs]
  def restart
    before = booted
    Process.kill(:USR1, @pid)
    wait("other processes") { booted.size == before.size + @processes && before.none? { |pid| running?(pid) } }
  end

  # Kills one process, and waits for the one in its place.
  # @return [void]
  # @raise [Hangs]
  def lose_one
    before = booted
    Process.kill(:KILL, serving.first)
    wait("a process in place of the killed one") { booted.size == before.size + 1 }
  end

  # Sends TERM, and waits for the end of all.
  # @return [Boolean] whether it was in good order
  # @raise [Hangs]
  def stop
    Process.kill(:TERM, @pid)
    wait("the end") { ended? }
    @status.success? && booted.none? { |pid| running?(pid) }
  ensure
    kill
  end

  # @return [void]
  def kill
    return if ended?

    Process.kill(:KILL, @pid)
    _, @status = Process.wait2(@pid)
  end

  private

  def ended?
    _, @status = Process.wait2(@pid, Process::WNOHANG) unless @status
    !@status.nil?
  end

  def running?(pid)
    Process.kill(0, pid)
    true
  rescue Errno::ESRCH
    false
  end

  def wait(what)
    limit = now + TIMEOUT_S
    until yield
      raise Hangs, "Puma's master has ended\n#{log}" if ended? && what != "the end"
      raise Hangs, "waited #{TIMEOUT_S} s for #{what}\n#{log}" if now > limit

      sleep(0.02)
    end
  end

  def now
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end
end
