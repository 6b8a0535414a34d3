# frozen_string_literal: true

require "sidekiq/api"

# The queue "orders" and its processes, seen from outside.
class OrderQueue
  # A process that has ended. done: jobs that were counted; put_back: ids of jobs that it had begun and that are in the
  # queue again; seconds: from TERM to its end; figures: what it said at its end
  Part = Struct.new(:done, :put_back, :waiting, :seconds, :status, :figures)

  TIMEOUT_S = 120

  # @param port [Integer] of Redis
  # @param log [String] a file
  def initialize(port, log:)
    @port = port
    @log = log
  end

  # @return [String] what the processes have written
  def log
    File.exist?(@log) ? File.read(@log) : ""
  end

  # @return [Array<String>] ids of the jobs in the queue
  def ids
    Sidekiq::Queue.new("orders").map(&:jid)
  end

  # @return [Integer]
  def size
    Sidekiq::Queue.new("orders").size
  end

  # Runs a Sidekiq until the block is true, and stops it.
  # @param environment [Hash{String => String}] of the process
  # @return [Part]
  # @raise [RuntimeError, SidekiqProcess::Hangs] when it has ended too early, or does not end, or the block is not true
  #   in time
  def serve(environment = {}, &done)
    before = Ledger.results.size
    process = SidekiqProcess.new(@port, log: @log, environment: environment)
    wait(process, &done)
    status, seconds = process.stop
    left = ids
    begun = Ledger.all_begun
    Part.new(Ledger.results.size - before, left & begun, left - begun, seconds, status,
             JSON.parse(Ledger.take_report || "{}"))
  ensure
    process&.kill
  end

  private

  def wait(process)
    limit = now + TIMEOUT_S
    until yield
      raise "Sidekiq has ended" unless process.alive?
      raise "Sidekiq was not done after #{TIMEOUT_S} s" if now > limit

      sleep(0.01)
    end
  end

  def now
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end
end
