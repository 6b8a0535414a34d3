# frozen_string_literal: true

require "fileutils"
require "socket"
require "tmpdir"

# Debian's redis-server on a free loopback port, with nothing on disk.
class RedisServer
  attr_reader :port

  def self.available?
    folders = ENV.fetch("PATH", "").split(File::PATH_SEPARATOR)
    folders.any? { |folder| File.executable?(File.join(folder, "redis-server")) }
  end

  def initialize
    @port = TCPServer.open("127.0.0.1", 0) { |socket| socket.addr[1] }
    @folder = Dir.mktmpdir("ratomic-redis")
  end

  # Returns when it answers.
  def start
    log = File.join(@folder, "log")
    @process = Process.spawn("redis-server", "--port", port.to_s, "--bind", "127.0.0.1", "--dir", @folder,
                             "--save", "", "--appendonly", "no", out: log, err: log)
    deadline = now + 10
    until answers?
      raise "redis-server did not start:\n#{File.read(log)}" if now > deadline

      sleep 0.02
    end
    self
  end

  # Without a chance to say good-bye to its clients.
  def kill
    Process.kill(:KILL, @process)
    Process.wait(@process)
    @process = nil
  end

  def stop
    kill if @process
    FileUtils.rm_rf(@folder)
  end

  # @return [String] path of a file that goes with the server
  def file(name)
    File.join(@folder, name)
  end

  private

  def now
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end

  def answers?
    TCPSocket.open("127.0.0.1", port) do |socket|
      socket.write("PING\r\n")
      socket.gets == "+PONG\r\n"
    end
  rescue SystemCallError
    false
  end
end
