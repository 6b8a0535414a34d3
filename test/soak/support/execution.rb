# frozen_string_literal: true

require "fileutils"
require "rbconfig"
require_relative "schedule"
require_relative "part"
require_relative "../../support/waiting"

module Soak
  # One part in a process of its own, which cannot take this one along: when it hangs or crashes, that is its verdict.
  class Execution
    LOGS = File.expand_path("../../../build/soak", __dir__)
    # Seconds beyond its own that a part gets: to begin, to settle, to end.
    EXTRA_TIME_S = 90
    # Seconds in which it is to write where it stands.
    REPORT_INTERVAL_S = 15
    # In these folders Ractors compute without a pause, beside workers that must get their turn.
    BUSY = %w[walks].freeze
    VERDICTS = { "ok" => :ok, "FAILED" => :failed, "skip" => :skip }.freeze

    def initialize(name, seconds, seed)
      @name = name
      @seconds = seconds
      @seed = seed
      @limit = (seconds * 1.5) + EXTRA_TIME_S
      @log = File.join(LOGS, "#{name.tr("/", "-")}.log")
    end

    # Runs it, and shows what it says as it comes.
    # @return [Symbol] :ok, :failed, :skip
    def verdict
      FileUtils.mkdir_p(LOGS)
      reader, writer = IO.pipe
      pid = start(writer)
      writer.close
      shown = Thread.new { show(reader) }
      hung = !ended?(pid, @limit)
      stop(pid) if hung
      kill_group(pid) # what it has left behind would hold the pipe
      conclude(shown.value, hung)
    end

    private

    def start(writer)
      environment = BUSY.include?(File.dirname(@name)) ? Waiting::NATIVE_THREADS : {}
      spawn(environment, RbConfig.ruby, "-W:no-experimental", *Schedule.command(@name), "--seconds", @seconds.to_s,
            "--seed", @seed.to_s, in: File::NULL, out: writer, err: @log, pgroup: true)
    end

    # @return [String, nil] its last line
    def show(reader)
      reader.each_line.inject(nil) do |_, line|
        puts line
        @again = line.split.last if line.start_with?("  seed ")
        line
      end
    end

    def ended?(pid, seconds)
      limit = Process.clock_gettime(Process::CLOCK_MONOTONIC) + seconds
      until (done = Process.wait2(pid, Process::WNOHANG))
        return false if Process.clock_gettime(Process::CLOCK_MONOTONIC) > limit

        sleep 0.05
      end
      @status = done.last
      true
    end

    # The report of SIGABRT has the stacks. Where even that hangs, the process is killed.
    def stop(pid)
      Process.kill(:ABRT, pid)
      return if ended?(pid, REPORT_INTERVAL_S)

      Process.kill(:KILL, pid)
      ended?(pid, REPORT_INTERVAL_S)
    end

    def kill_group(pid)
      Process.kill(:KILL, -pid)
    rescue Errno::ESRCH
      nil
    end

    def conclude(last, hung)
      return failed("HUNG after #{@limit.round} s") if hung

      said = VERDICTS[last.to_s.split.first]
      return failed("ended with #{@status.inspect[/(?:exit|SIG).*(?=>)/]} and without a verdict") unless said
      return failed("said ok, and ended with #{@status}") if said != :failed && !@status.success?

      said
    end

    def failed(text)
      puts Part.line("FAILED", @name, "#{text}; log: #{@log}; again: #{again}")
      :failed
    end

    def again
      Part.again(@name, @seconds, @again || @seed)
    end
  end
end
