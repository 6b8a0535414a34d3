# frozen_string_literal: true

# Ends a suite that hangs. A thread shows where every thread stands and ends the process. Where even that thread does
# not get to run (a native call that keeps the GVL), or the end of the process hangs, a small process outside sends
# SIGABRT, whose report has the C stack too.
module Watchdog
  OUTSIDE = <<~'SHELL'
    read -r -t "$1" said; [ $? -gt 128 ] && exec kill -ABRT "$3"
    [ "$said" = done ] || exit 0
    read -r -t "$2" said; [ $? -gt 128 ] && echo "the suite ended, but not its process within $2 s" >&2 && exec kill -ABRT "$3"
  SHELL

  # Limits, in seconds: `suite` for the whole run, `exit` for the end of the process after it.
  def self.start(suite:, exit:)
    return unless File.executable?("/bin/bash")

    reader, writer = IO.pipe
    limits = [suite + 15, exit, Process.pid].map(&:to_s)
    outside = spawn("/bin/bash", "-c", OUTSIDE, "watchdog", *limits, in: reader, out: :err, pgroup: true)
    reader.close
    Process.detach(outside)
    Thread.new { sleep(suite) && dump(suite) }
    say_done(writer)
  end

  def self.say_done(writer)
    suite = Process.pid
    require "minitest"
    Minitest.after_run { writer.puts("done") if Process.pid == suite }
  end
  private_class_method :say_done

  def self.dump(suite)
    warn "the suite was not done after #{suite} s; its threads stand at"
    Thread.list.each { |thread| warn thread.inspect, *(thread.backtrace || []).map { |line| "  #{line}" }, "" }
    exit!(3)
  end
  private_class_method :dump
end
