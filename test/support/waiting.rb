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
  ITEM_TIMEOUT_S = 1.2 * PATIENCE

  # Seconds of `timeout:` for a dispatch whose last item runs for ever and whose other items have to be done in time,
  # also on a busy machine.
  DONE_IN_TIME_S = 2.0 * PATIENCE

  # Limits are counted in looks, each of which counts for so many seconds at most. While the machine stops the process
  # there are none, so that most of that time does not count.
  LOOK_S = 0.1

  # Runs the block in a thread of its own and returns its value. When it is not done after `seconds` the test fails and
  # shows where it stands. A call that cannot be interrupted cannot hang the test either: only that thread is stuck.
  def within(seconds)
    seconds *= PATIENCE
    thread = Thread.new do
      Thread.current.report_on_exception = false
      yield
    end
    return thread.value if (seconds / LOOK_S).ceil.times.any? { thread.join(LOOK_S) }

    places = places_of([thread, *(Thread.list - [thread, Thread.current])])
    thread.kill
    flunk "not done after #{seconds} s; it stood at\n  #{places}"
  end

  # @return [String] where each of the threads is: what one waits for, another one may hold
  def places_of(threads)
    threads.map { |thread| (thread.backtrace || []).first(12).join("\n  ") }.reject(&:empty?).tally
           .map { |place, count| count > 1 ? "#{place}\n  (#{count} threads)" : place }.join("\nbeside\n  ")
  end

  # Waits until the block is true, for states that send no event, and returns what it returned; fails after `seconds`.
  def eventually(seconds = STATE_TIMEOUT_S, message = nil)
    left = seconds *= PATIENCE
    pause = 0.0005
    started = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    until (result = yield)
      looked = Process.clock_gettime(Process::CLOCK_MONOTONIC)
      left -= looked - started
      flunk "#{message || "it"} had not come true after #{seconds} s" unless left.positive?

      sleep(pause = [pause * 2, 0.02].min)
      started = Process.clock_gettime(Process::CLOCK_MONOTONIC)
      left -= [started - looked, LOOK_S].min
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
