# frozen_string_literal: true

module Ratomic
  module Workers
    # The end of the program: the pools are stopped, and what is in flight becomes Failures. Ruby would end the workers
    # too, but a Ractor that ends with a living thread while the main Ractor ends the process can lock up CRuby 4.0.5.
    #
    # Ruby waits for every Ractor and thread, also for one in a call that nothing can interrupt. A pool has abandoned
    # such workers long before; they must not keep the program from ending.
    module AtExit
      # Workers that were abandoned and have not ended.
      STUCK = Counter.new
      BEGUN = Counter.new
      # Chunks that run in threads of their own, for a caller or a {HelperThread}: see {SupervisedRun}.
      RUNS = Counter.new
      # How long these may take to end: a little longer than a {SupervisedRun} takes to see that its pool has ended.
      RUNS_TIMEOUT_S = 0.5
      # How often it is checked meanwhile whether they have ended.
      CHECK_INTERVAL_S = 0.01
      # How long all pools together may take to stop. A pool that takes longer than its coordinator allows ends without
      # its workers, which is sooner.
      STOP_TIMEOUT_S = 5.0

      class << self
        # Called when a worker is abandoned.
        # @param worker_status [WorkerStatus] of the worker
        def stuck(worker_status)
          STUCK.increment if worker_status.abandon
        end

        # Called when a worker has ended, with all its threads.
        def unstuck(worker_status)
          STUCK.decrement if worker_status.end
        end

        # Called in a forked child, which has none of these workers and chunks: see {ForkHook}.
        def after_fork
          [STUCK, RUNS].each(&:reset)
        end

        # Ruby runs at_exit handlers in the opposite order of their registration. This one is registered early, so it
        # runs late.
        def prepare
          at_exit do
            stopped = stop_pools(BEGUN.increment == 1)
            await_runs
            leave($!) if STUCK.value.positive? || RUNS.value.positive? || !stopped
          end
        end

        # Called when a pool has started. If the program is ending already (a test runner may do all its work in an
        # at_exit handler that runs after ours), another handler is registered, which runs after the one that is
        # running.
        def remind
          prepare unless BEGUN.zero? || !main?
        end

        private

        # Stops all pools. After the first call a dispatch starts its pool again, because handlers that run later may
        # dispatch. After the second call it does not: a thread that dispatches all the time would start pools for ever.
        # @return [Boolean] whether all have stopped
        def stop_pools(anew)
          limit = Clock.now + STOP_TIMEOUT_S
          running = Pool::RUNNING.values
          engines = running.map { |pool, engine| anew ? pool.drop(engine) : engine }
          engines.each(&:kill)
          engines.all? { |engine| engine.terminated.wait(Clock.left(limit)) }
        end

        def await_runs
          limit = Clock.now + RUNS_TIMEOUT_S
          sleep(CHECK_INTERVAL_S) while RUNS.value.positive? && Clock.now < limit
        end

        # Ends the process at once, with the message and the status that Ruby would give. Handlers that were registered
        # before this one do not run, and buffers of open files are not written: Ruby would stop all Ractors first, and
        # wait for the stuck one.
        def leave(error)
          signal = error.signo if error.is_a?(SignalException)
          warn(error.full_message(highlight: false)) unless error.nil? || signal || error.is_a?(SystemExit)
          [$stdout, $stderr].each(&:flush)
          die_of(signal) if signal
          exit!(error.is_a?(SystemExit) ? error.status : error.nil?)
        end

        # Ends the process by the signal itself, so that its parent sees which signal has ended it.
        def die_of(signal)
          trap(signal, "SYSTEM_DEFAULT")
          Process.kill(signal, Process.pid)
          sleep
        end

        def main?
          !RACTORS || Ractor.main?
        end
      end

      prepare
    end
  end
end
