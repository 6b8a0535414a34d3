# frozen_string_literal: true

# Waiting with a deadline: a test fails, it never hangs.
module Waiting
  # All limits are so many times as long: for a Ruby that is slow because it checks itself, or collects all the time.
  PATIENCE = Integer(ENV.fetch("RATOMIC_PATIENCE", "1"))

  # Seconds after which a state that sends no event counts as missed. Only a test that fails waits so long, and a busy
  # machine can stop a process for seconds.
  STATE_TIMEOUT_S = 15

  # The environment of a program whose Ractors compute without a pause, beside others that must get their turn: Ruby 4.1
  # has only as many native threads for them as there are processors.
  NATIVE_THREADS = { "RUBY_MAX_CPU" => "8" }.freeze

  # Seconds of `item_timeout:` for a dispatch of which one item runs for ever and the others have to be in time, also on
  # a busy machine.
  ITEM_TIMEOUT_S = 0.6 * PATIENCE

  # Runs the block in a thread of its own and returns its value. When it is not done after `seconds` the test fails and
  # shows where it stands. A call that cannot be interrupted cannot hang the test either: only that thread is stuck.
  def within(seconds)
    seconds *= PATIENCE
    thread = Thread.new do
      Thread.current.report_on_exception = false
      yield
    end
    return thread.value if thread.join(seconds)

    place = (thread.backtrace || []).first(12).join("\n  ")
    thread.kill
    flunk "not done after #{seconds} s; it stood at\n  #{place}"
  end

  # Waits until the block is true, for states that send no event, and returns what it returned; fails after `seconds`.
  def eventually(seconds = STATE_TIMEOUT_S, message = nil)
    seconds *= PATIENCE
    deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + seconds
    pause = 0.0005
    until (result = yield)
      if Process.clock_gettime(Process::CLOCK_MONOTONIC) > deadline
        flunk "#{message || "it"} had not come true after #{seconds} s"
      end
      sleep(pause = [pause * 2, 0.02].min)
    end
    result
  end

  # Waits until the thread sleeps (blocked in a native call, a lock or a queue), so that what follows meets it there.
  def until_asleep(thread, seconds = STATE_TIMEOUT_S)
    eventually(seconds, "the thread's sleep (it is #{thread.status.inspect})") { thread.status == "sleep" }
  end

  # Waits until all workers of the pool have started and wait for work.
  def until_workers_wait(pool, seconds = STATE_TIMEOUT_S)
    run_queue = pool.instance_variable_get(:@cell)[:engine].run_queue
    sleeping = run_queue.instance_variable_get(:@sleeping)
    eventually(seconds, "the sleep of all workers") { sleeping.value == pool.size }
  end
end
