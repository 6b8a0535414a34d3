# frozen_string_literal: true

# Ends a suite that hangs. A thread names the test, shows where every thread stands and ends the process. Where even
# that thread does not get to run (a native call that keeps the GVL), or the end of the process hangs, a small process
# outside sends SIGABRT, whose report has the C stack too.
module Watchdog
  OUTSIDE = <<~'SHELL'
    read -r -t "$1" said; [ $? -gt 128 ] && exec kill -ABRT "$3"
    [ "$said" = done ] || exit 0
    read -r -t "$2" said; [ $? -gt 128 ] && echo "the suite ended, but not its process within $2 s" >&2 && exec kill -ABRT "$3"
  SHELL

  # Tells which test runs, and since when.
  module Told
    def before_setup
      Watchdog.begin_test("#{self.class}##{name}")
      super
    end
  end

  @test = nil
  @since = 0

  # Limits, in seconds: `suite` for the whole run, `test` for one of its tests, `exit` for the end of the process after
  # the run.
  def self.start(suite:, test:, exit:)
    return unless File.executable?("/bin/bash")

    reader, writer = IO.pipe
    limits = [suite + 15, exit, Process.pid].map(&:to_s)
    outside = spawn("/bin/bash", "-c", OUTSIDE, "watchdog", *limits, in: reader, out: :err, pgroup: true)
    reader.close
    Process.detach(outside)
    Thread.new { watch(now + suite, test) }
    say_done(writer)
  end

  def self.begin_test(name)
    @since = now
    @test = name
  end

  def self.now
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end
  private_class_method :now

  def self.watch(ending, test)
    @since = now
    sleep(5) while now < ending && now < @since + test
    dump
  end
  private_class_method :watch

  def self.say_done(writer)
    suite = Process.pid
    require "minitest"
    Minitest.after_run { writer.puts("done") if Process.pid == suite }
  end
  private_class_method :say_done

  # The thread that runs the tests comes last, because a reader of a log sees its end first.
  def self.dump
    warn "the suite hangs: #{@test || "no test"} began #{(now - @since).round} s ago; its threads stand at"
    Thread.list.reverse_each { |thread| warn thread.inspect, *(thread.backtrace || []).map { |line| "  #{line}" }, "" }
    warn "the suite hangs in #{@test}"
    exit!(3)
  end
  private_class_method :dump
end
