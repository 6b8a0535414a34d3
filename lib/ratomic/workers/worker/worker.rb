# frozen_string_literal: true

module Ratomic
  module Workers
    # The main thread of a worker (with the `:ractor` backend, the main thread of the worker's Ractor). It waits for
    # messages and controls the {Runner}: it interrupts the runner, replaces it when an item has killed it, and at the
    # end of the worker hands the runner's unfinished items over.
    #
    # Items may kill it, or raise into it, at any moment. Such an interrupt comes only while it waits for a message: in
    # between, items that are in no list would be lost.
    class Worker
      RUNNER_DONE = [:runner_done].freeze
      RUNNER_DIED = [:runner_died].freeze
      STOP = [:stop].freeze
      SEAT = [:seat].freeze
      # Seconds that a runner gets to end before it is left alone.
      RUNNER_STOP_TIMEOUT_S = 0.2
      # A thread that computes runs for 100 ms before other threads get a turn; each step of lower priority halves that
      # time. The other threads enforce deadlines, and with the `:thread` backend they are the whole program.
      PRIORITY = -3

      # @param engine [Engine]
      # @param worker_status [WorkerStatus]
      def initialize(engine, worker_status)
        @engine = engine
        @worker_status = worker_status
        @control = engine.backend.new_mailbox
        @open_share = OpenShare.new(engine, worker_status)
        @ended = @stranded = false
      end

      # Works until the run queue is closed and empty, or a :stop comes.
      # @param parts [Array<Batch>, nil] what another worker has left to run; nil for a worker in reserve
      # @return [Hash, nil] the owned results that it hands over, see {Share#leave}
      def run(parts)
        Interrupts.deferred { work(parts) }
      ensure
        # A main thread that an item has killed still returns the owned results.
        return @open_share.leave # rubocop:disable Lint/EnsureReturn
      end

      private

      def work(parts)
        Thread.current.report_on_exception = false
        Thread.current.priority = PRIORITY # which the runner inherits
        @reaper = Reaper.enter(@control) unless @engine.backend.shared_memory?
        @engine.post([:up, @worker_status.id, @control].freeze)
        take_seat(parts) if parts
        listen until @ended || @stranded
      ensure
        leave
      end

      # An exception that a thread of an item raises into this thread is counted, shown once, and ends nothing.
      def listen
        handle(*Interrupts.on_blocking { @control.receive })
      rescue Exception => e # rubocop:disable Lint/RescueException -- the worker goes on, whatever it was
        @engine.metrics.trouble(e, "the main thread of a worker")
      end

      def handle(what, *details)
        case what
        when :join then @reaper.join
        when :seat then take_seat([])
        when :interrupt then @runner.interrupt(*details)
        when :file then file_so_far(*details)
        when :recall then @open_share.recall(*details)
        when :runner_died then @worker_status.abandoned? ? @ended = true : replace_runner
        when :runner_done, :stop then @ended = true
        end
      end

      def take_seat(parts)
        @engine.run_queue.start_searching
        @runner = Runner.new(@engine, @worker_status, @control, Thread.current, @open_share)
        start_runner(parts)
      end

      # If no thread can be made, the worker ends as one that has died: the coordinator starts another one, at the
      # latest after a pause.
      def start_runner(parts)
        @runner.start(parts)
      rescue StandardError => e
        @engine.metrics.trouble(e, "the start of a worker's thread")
        @stranded = true
      end

      def file_so_far(batch)
        @runner.file_so_far(batch.ticket)
      ensure
        @engine.post([:filed, batch].freeze)
      end

      def replace_runner
        parts = []
        @runner.kill(RUNNER_STOP_TIMEOUT_S)
        parts = @runner.recovery(:thread)
      ensure # in any case: without a runner this worker would run nothing any more
        @engine.metrics.runners_replaced.increment
        start_runner(parts)
      end

      # Runs at any end of the worker: the items that it had claimed are handed over.
      def leave
        parts = []
        parts = hand_over if @runner
      ensure
        @engine.run_queue.stop_searching if @runner
        @engine.post([:gone, @worker_status.id, @ended, parts.freeze].freeze)
        @runner&.join
        @runner&.close
        HelperThread.join unless @engine.backend.shared_memory? # or they would end with the Ractor
        unload unless @open_share.empty?
        AtExit.unstuck(@worker_status)
      end

      # @return [Array<Batch>] what is still to be run
      def hand_over
        dead = @runner.kill(RUNNER_STOP_TIMEOUT_S)
        return @runner.recovery(@ended ? :thread : :worker) if dead && !@worker_status.abandoned?

        AtExit.stuck(@worker_status) unless dead
        @runner.give_up
      ensure
        @open_share.save unless dead
      end

      # Kills the threads that items have started. The Ractor would not end as long as one of them runs.
      def unload
        others = Thread.list - [Thread.current]
        return if others.empty?

        others.each(&:kill)
        limit = Clock.now + RUNNER_STOP_TIMEOUT_S
        @open_share.save unless others.all? { |thread| ended?(thread, limit) }
      end

      def ended?(thread, limit)
        !thread.join(Clock.left(limit)).nil?
      rescue Exception # rubocop:disable Lint/RescueException -- the thread has died of it, and has recorded that
        true
      end
    end
  end
end
