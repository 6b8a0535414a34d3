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
      # How long all pools together may take to stop. A pool that takes longer than its coordinator allows ends without
      # its workers, which is sooner.
      STOP_TIMEOUT_S = 5.0

      class << self
        # A worker is abandoned.
        # @param worker_status [WorkerStatus] of the worker
        def stuck(worker_status)
          STUCK.increment if worker_status.abandon
        end

        # A worker has ended, with all its threads.
        def unstuck(worker_status)
          STUCK.decrement if worker_status.end
        end

        # A forked child has none of them.
        def forget
          [STUCK, RUNS].each(&:reset)
        end

        # Handlers run in the opposite order of their making: this one is made early and runs late.
        def prepare
          at_exit do
            stopped = stop_pools(BEGUN.increment == 1)
            await_runs
            leave($!) if STUCK.value.positive? || RUNS.value.positive? || !stopped
          end
        end

        # A pool has started. When the end has begun already (a test runner may do all its work in a handler of its own
        # that runs after ours) another handler is needed, which runs after the one that is running.
        def remind
          prepare unless BEGUN.zero? || !main?
        end

        private

        # The first time pools start anew with the next dispatch, for handlers that run later. Not again: a thread that
        # dispatches all the time would start them for ever.
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
          sleep(0.01) while RUNS.value.positive? && Clock.now < limit
        end

        # Ends the process here, with what Ruby would say and answer. Handlers made before this one do not run, and
        # files that are open keep what is in their buffers: whatever stops all Ractors would wait for the stuck one.
        def leave(error)
          signal = error.signo if error.is_a?(SignalException)
          warn(error.full_message(highlight: false)) unless error.nil? || signal || error.is_a?(SystemExit)
          [$stdout, $stderr].each(&:flush)
          die_of(signal) if signal
          exit!(error.is_a?(SystemExit) ? error.status : error.nil?)
        end

        # So that whoever started the program sees what ended it.
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
