# frozen_string_literal: true

module Ratomic
  module Workers
    # The workers of a pool: the coordinator starts them here, and replaces those that have ended. In a crash loop (one
    # worker after the other ends soon after its start) the next one starts after a pause, which doubles each time.
    class WorkerRegistry
      WorkerHandle = Struct.new(:worker_status, :body, :born, :control, :reserve) do
        # @return [Boolean] false when it does not listen yet, or has ended
        def tell(message)
          !control.nil? && control.send(message) && true
        rescue *Mailbox::CLOSED
          false
        end
      end

      # Seconds that an abandoned worker has to send its owned results.
      ABANDONED_ARRIVAL_TIMEOUT_S = 0.75
      # A worker that has lived this long does not belong to a crash loop.
      MIN_HEALTHY_LIFE_S = 1.0
      # Pause before the next start in a crash loop: the first and the longest.
      FIRST_RESTART_PAUSE_S = 0.01
      MAX_RESTART_PAUSE_S = 1.0

      # @param engine [Engine]
      # @param timer_queue [TimerQueue]
      def initialize(engine, timer_queue)
        @engine = engine
        @timer_queue = timer_queue
        @backend = engine.backend
        @members = {}
        @streak = 0
        @stopped = false
        @departing = DepartingWorkers.new(@backend, timer_queue)
      end

      # @return [DepartingWorkers] workers that end with owned results
      attr_reader :departing

      # Starts workers until the pool has its size.
      def fill
        (@engine.size - @members.size).times { start_worker }
      end

      # @param parts [Array<Batch>, nil] what another worker has left to run; nil for a worker in reserve
      def start_worker(parts = [])
        worker_status = WorkerStatus.new(@engine.workers_started.increment)
        @engine.worker_statuses[worker_status.id] = worker_status if parts
        body = @backend.spawn(@engine, worker_status, parts.freeze)
        @members[worker_status.id] = WorkerHandle.new(worker_status, body, Clock.now, nil, parts.nil?)
      rescue StandardError => e # for example: no thread can be made
        @engine.metrics.trouble(e, "the start of a worker")
        @engine.worker_statuses.delete(worker_status.id)
        pause(MAX_RESTART_PAUSE_S, parts) if parts
      end

      # Starts as many workers in reserve as there are workers, so that all of them can be replaced at once.
      def reserve
        return if @stopped || !@engine.open?

        (@engine.size - @members.count { |_, member| member.reserve }).times { start_worker(nil) }
      end

      # Stops the workers in reserve, and starts no more.
      def close
        @stopped = true
        @members.each_value { |member| member.tell(Worker::STOP) if member.reserve }
      end

      # Called when a worker has started.
      def up(id, control)
        return unless (member = @members[id])

        member.control = control
        return @engine.emit(:worker_started, nil, worker: id) unless member.reserve

        member.tell(Worker::STOP) if @stopped
      end

      # Called when a worker has ended, on purpose or killed by an item.
      # @param wanted [Boolean] whether it was on purpose
      # @param parts [Array<Batch>] the items that it has left to run
      # @return [Boolean] whether the worker was known
      def gone(id, wanted, parts)
        return false unless (member = dismiss(id))

        home = expect_home(member)
        return true if member.reserve

        @engine.emit(:worker_ended, nil, worker: id, expected: wanted)
        wanted ? (refill if home) : replace(member, parts)
        true
      end

      # Finds workers that have ended. Their last message may be on its way.
      # @return [Array<Integer>]
      def ended
        @members.each_value.reject { |member| @backend.alive?(member.body) }.map { |member| member.worker_status.id }
      end

      # Called when a worker has died without a message.
      # @return [Batch, nil] the batch that it was running
      def lost(id)
        return unless @members.key?(id)

        batch = @engine.board[id]
        gone(id, false, [])
        @departing.look
        batch
      end

      # Replaces a worker that cannot be interrupted.
      # @return [WorkerHandle, nil]
      def abandon(id)
        return unless (member = dismiss(id))

        @engine.metrics.abandoned.increment
        @engine.emit(:worker_abandoned, nil, worker: id)
        AtExit.stuck(member.worker_status)
        member.tell(Worker::STOP)
        expect_home(member, ABANDONED_ARRIVAL_TIMEOUT_S)
        start_worker unless @stopped
        member
      end

      # Stops waiting for the workers. The pool ends without them.
      def leave_all
        @members.each_value { |member| AtExit.stuck(member.worker_status) }
        @departing.leave_all
        @engine.homes.values.each { |home| home.arrive(OwnedResults::LOST) }
      end

      # @yieldparam member [WorkerHandle] those that are in a chunk of that dispatch
      def busy_with(ticket)
        @members.each_value { |member| yield member if member.worker_status.ticket == ticket }
      end

      # Asks all to end now.
      def stop
        @stopped = true
        @members.each_value { |member| member.tell(Worker::STOP) }
      end

      def [](id)
        @members[id]
      end

      def empty?
        @members.empty? && @departing.empty?
      end

      private

      def dismiss(id)
        return unless (member = @members.delete(id))

        @engine.worker_statuses.delete(id)
        @engine.board.delete(id)
        @engine.metrics.past_busy.increment(member.worker_status.busy_nanoseconds)
        member
      end

      # Called when a worker has ended to send its owned results: a worker in reserve takes its place.
      def refill
        return if @stopped

        @engine.run_queue.reserve.short
        member = @members.each_value.find { |other| other.reserve && other.tell(Worker::SEAT) }
        member ? seat(member) : start_worker
      end

      # A worker in reserve takes work from now on.
      def seat(member)
        member.reserve = false
        member.born = Clock.now
        @engine.worker_statuses[member.worker_status.id] = member.worker_status
        @engine.emit(:worker_started, nil, worker: member.worker_status.id)
      end

      # @return [OwnedResults, nil] that is expected
      def expect_home(member, seconds = DepartingWorkers::ARRIVAL_TIMEOUT_S)
        return unless (home = @engine.homes.delete(member.worker_status.id))

        @departing.expect(member.body, home, seconds)
        home
      end

      def replace(member, parts)
        @engine.metrics.respawns.increment
        @streak = Clock.now - member.born < MIN_HEALTHY_LIFE_S ? @streak + 1 : 0
        parts = parts.reject { |part| @engine.offer(part) }
        return start_worker(parts) if @streak < 2

        pause([FIRST_RESTART_PAUSE_S * (2**[@streak - 2, 10].min), MAX_RESTART_PAUSE_S].min, parts)
      end

      # Starts a worker later.
      def pause(seconds, parts)
        @engine.metrics.pauses.increment
        @engine.emit(:paused, nil, seconds: seconds)
        @timer_queue.add(Clock.now + seconds, :start_worker, parts)
      end
    end
  end
end
