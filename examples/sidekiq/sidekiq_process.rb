# frozen_string_literal: true

require "rbconfig"

# A Sidekiq that serves the queue "orders", as a process of its own.
class SidekiqProcess
  # The process has not ended in time.
  class Hangs < StandardError; end

  SERVER = File.expand_path("server.rb", __dir__)
  BOOT = File.expand_path("boot.rb", __dir__)

  # @param port [Integer] of Redis
  # @param log [String] a file
  # @param grace [Integer] seconds that jobs get to end after TERM. More than two: an idle thread of Sidekiq asks Redis
  #   for as long, and what it gets after its end is lost
  # @param environment [Hash{String => String}]
  def initialize(port, log:, grace: 3, concurrency: 4, environment: {})
    @grace = grace
    @pid = Process.spawn({ "REDIS_URL" => "redis://127.0.0.1:#{port}/0", **environment }, RbConfig.ruby, SERVER,
                         "-r", BOOT, "-q", "orders", "-c", concurrency.to_s, "-t", grace.to_s,
                         in: File::NULL, out: [log, "a"], err: [log, "a"])
  end

  # @return [Boolean]
  def alive?
    return false if @status

    _, @status = Process.wait2(@pid, Process::WNOHANG)
    @status.nil?
  end

  # Sends TERM, and waits for the end.
  # @return [Array(Process::Status, Float)] and how many seconds it took
  # @raise [Hangs] it was killed
  def stop
    began = now
    Process.kill(:TERM, @pid) if alive?
    sleep(0.01) while alive? && now - began < @grace + 12
    raise Hangs, "Sidekiq had not ended #{@grace + 12} s after TERM" if alive?

    [@status, now - began]
  ensure
    kill
  end

  # @return [void]
  def kill
    return unless alive?

    Process.kill(:KILL, @pid)
    _, @status = Process.wait2(@pid)
  end

  private

  def now
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end
end
