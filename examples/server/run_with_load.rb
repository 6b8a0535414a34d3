# frozen_string_literal: true

require_relative "load"

# Loads a server, lets a worker crash, stops the server in the middle of a load, and says what became of the requests.
class RunWithLoad
  PATHS = ["/", "/catalogue/500", "/stock/7"].freeze

  # @param server [Server] started
  # @param seconds [Integer] of each load
  def initialize(server, seconds:)
    @server = server
    @seconds = seconds
  end

  # @return [Boolean] whether no request was lost
  def call
    PATHS.each { |path| puts "#{path.ljust(16)} #{wrk? ? with_wrk(path) : with_clients(path)}" }
    replaced = crash
    stop_under_load && replaced
  end

  private

  def wrk?
    ENV["PATH"].split(File::PATH_SEPARATOR).any? { |folder| File.executable?(File.join(folder, "wrk")) }
  end

  def with_wrk(path)
    command = ["wrk", "-t1", "-c8", "-d#{@seconds}s", "--latency", "http://127.0.0.1:#{@server.port}#{path}"]
    out = IO.popen(command, err: %i[child out]) do |wrk|
      wrk.read
    ensure
      Process.kill(:TERM, wrk.pid) # if this process was told to end meanwhile
    end
    rate = out[%r{Requests/sec: +(\S+)}, 1]
    errors = out[/Socket errors: (.*)/, 1] || out[/(Non-2xx.*)/, 1] || "no errors"
    "#{rate.to_f.round} requests/s, 99 % within #{out[/99% +(\S+)/, 1]}, #{errors} (wrk)"
  end

  def with_clients(path)
    load = Load.new(@server.port, path)
    sleep(@seconds)
    outcome = load.finish
    "#{outcome.answered / @seconds} requests/s, #{outcome.unanswered} unanswered (clients in this process)"
  end

  # The request that ends its worker gets no answer. Other requests that this worker has accepted may get none either;
  # later requests do.
  # @return [Boolean]
  def crash
    lost = Load.get(@server.port, "/crash").nil?
    status = nil
    wait(5) { (status, = Load.get(@server.port, "/")) && status == 200 }
    replaced = wait(5) { @server.figures.crashes.value == 1 }
    puts "a worker crashed#{' and was replaced' if replaced}; the next answer is #{status}"
    lost && replaced && status == 200
  end

  # @return [Boolean] whether the block has become true within so many seconds
  def wait(seconds)
    limit = Process.clock_gettime(Process::CLOCK_MONOTONIC) + seconds
    until (true_now = yield) || Process.clock_gettime(Process::CLOCK_MONOTONIC) > limit
      sleep(0.01)
    end
    true_now
  end

  # What was never accepted was never promised an answer: it was still on its way when the door was shut.
  # @return [Boolean]
  def stop_under_load
    before = @server.figures.accepted.value
    load = Load.new(@server.port, "/slow/5", clients: 16)
    sleep(@seconds / 2.0)
    how = @server.stop(timeout: 10)
    outcome = load.finish
    lost = outcome.unanswered - (outcome.connected - (@server.figures.accepted.value - before))
    puts "stopped under load (#{how}): #{outcome.answered} answered, #{lost} lost, then refused"
    how == :graceful && lost.zero?
  end
end
