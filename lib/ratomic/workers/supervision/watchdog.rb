# frozen_string_literal: true

module Ratomic
  module Workers
    # The coordinator's part for time and losses: it ends dispatches and items whose time is up, and finds items that a
    # dead worker had claimed. CONTRIBUTING has the life of a deadline, and that of a dead worker's chunk, step by step.
    #
    # Only the coordinator's thread calls it. It reads the {WorkerStatus} of each worker and the board while workers
    # change them. So it never touches a worker's threads itself: it sends the numbers that it has read, and the worker
    # compares them before it acts. And items count as lost only after two checks that found the same.
    class Watchdog
      # How long an interrupted item may take to end before its worker is abandoned.
      INTERRUPT_GRACE_S = 0.25
      # How long workers may take to file their results when the time of their dispatch is up.
      FILE_REQUEST_TIMEOUT_S = 0.1
      # Shortest time between two checks of the items of a batch.
      MIN_WATCH_INTERVAL_S = 0.005
      # Time between two checks of a batch of which a part may be lost.
      AUDIT_INTERVAL_S = 0.05

      # @param engine [Engine]
      # @param timer_queue [TimerQueue]
      # @param registry [WorkerRegistry]
      def initialize(engine, timer_queue, registry)
        @engine = engine
        @timer_queue = timer_queue
        @registry = registry
        @filing = {} # ticket => workers that have not answered :file yet
      end

      def handle(what, *details)
        case what
        when :expire then expire(*details)
        when :filed then filed(*details)
        when :expired then expired(*details)
        when :interrupt then interrupt(*details)
        when :recall then recall(*details)
        when :watch then watch(*details)
        when :grace then grace(*details)
        when :audit then audit(*details)
        when :offer then offer(*details)
        end
      end

      private

      # Called when the `timeout:` of a dispatch is over. Its workers file their results so far, and then it ends.
      def expire(batch)
        return if batch.completion.complete?

        asked = 0
        @registry.busy_with(batch.ticket) { |member| asked += 1 if member.tell([:file, batch].freeze) }
        # A SupervisedRun, and the workers of a fallback, file their results without being asked.
        return expired(batch) if asked.zero? && !run_elsewhere?(batch) && !@engine.divided?(batch)

        @filing[batch.ticket] = asked
        @timer_queue.add(Clock.now + FILE_REQUEST_TIMEOUT_S, :expired, batch)
      end

      def filed(batch)
        return unless (asked = @filing[batch.ticket])

        @filing[batch.ticket] = asked - 1
        expired(batch) if asked == 1
      end

      def expired(batch)
        @filing.delete(batch.ticket)
        return if batch.completion.complete?

        @engine.expire(batch)
        interrupt(batch.ticket)
      end

      # Interrupts every item of a dispatch that is running now.
      def interrupt(ticket)
        @registry.busy_with(ticket) do |member|
          member.tell([:interrupt, ticket, nil].freeze)
          @timer_queue.add(Clock.now + INTERRUPT_GRACE_S, :grace, member.worker_status.id, ticket, nil)
        end
        @engine.fallback&.engine&.post([:interrupt, ticket].freeze)
      end

      # Workers that run a chunk of it send their owned results now, if they can.
      def recall(ticket)
        @registry.busy_with(ticket) { |member| member.tell([:recall, ticket].freeze) }
      end

      # Ends items of a dispatch that have run longer than `item_timeout:`. The next check is when the first of the
      # items that run now will be overdue; an item that starts in between cannot be overdue before that.
      def watch(batch)
        return if batch.completion.complete?

        limit = batch.options.item_timeout
        now = Clock.now
        again = now + limit
        @registry.busy_with(batch.ticket) do |member|
          next unless (index = member.worker_status.index)

          due = member.worker_status.since + limit
          now < due ? again = [again, due].min : overdue(batch, member, index)
        end
        @timer_queue.add_for(batch, [again, now + MIN_WATCH_INTERVAL_S].max, :watch)
      end

      def overdue(batch, member, index)
        return if batch.completion.filled?(index)

        @engine.time_out(batch, index)
        member.tell([:interrupt, batch.ticket, index].freeze)
        @timer_queue.add(Clock.now + INTERRUPT_GRACE_S, :grace, member.worker_status.id, batch.ticket, index, batch)
      end

      # Called when an interrupted item still runs: it is in a native call that cannot be interrupted. The worker is
      # abandoned.
      def grace(id, ticket, index, batch = nil)
        return unless (member = @registry[id])

        worker_status = member.worker_status
        return unless worker_status.ticket == ticket && (index.nil? || worker_status.index == index)

        @registry.abandon(id)
        return unless batch && index

        offer(batch.part(index + 1, worker_status.last)) if index + 1 < worker_status.last && !batch.moved?
        @timer_queue.add(Clock.now + INTERRUPT_GRACE_S, :audit, batch)
      end

      # Puts a part of a batch into the run queue. If that is full, tries again later.
      def offer(part)
        @engine.offer(part) || @timer_queue.add(Clock.now + AUDIT_INTERVAL_S, :offer, part)
      end

      # Called when a worker is gone. It may have claimed items of the batch; or it may have taken the batch from the
      # run queue without putting it back. Items count as lost only if two checks in a row find the same, because one
      # check could come between a worker's claim and its run.
      # @param before [Object, nil] the finding of the last check: :unclaimed, :offered or the empty slots
      def audit(batch, before = nil)
        return if batch.completion.complete?

        @timer_queue.add(Clock.now + AUDIT_INTERVAL_S, :audit, batch, look(batch, before))
      end

      def look(batch, before)
        @registry.busy_with(batch.ticket) { return before == :offered ? before : nil }
        return if run_elsewhere?(batch)

        return look_for_place(batch, before) if batch.unclaimed.positive?

        lost = empty(batch)
        return lost unless lost == before

        find(batch, lost)
        nil
      end

      # Whether a {HelperThread}, or a caller ({Inline}), runs a part of it. They give back what they have not run.
      def run_elsewhere?(batch)
        @engine.board.to_h.any? do |place, running|
          running.ticket == batch.ticket && !(Integer === place && place.positive?) # positive: a worker's number
        end
      end

      # Items are unclaimed and nobody runs the batch: it may wait for its turn, or be in no queue at all. It is put
      # into the run queue once more; to be there twice does no harm.
      def look_for_place(batch, before)
        offer(batch) if before == :unclaimed
        before.nil? ? :unclaimed : :offered
      end

      # All is claimed and no worker runs any of it: the items of the empty slots are lost. They run again one by one,
      # so that an item that kills its worker is found.
      def find(batch, lost)
        lost.each do |range|
          batch.moved? ? write_off(batch, range) : offer(batch.isolated_part(range.begin, range.end + 1))
        end
      end

      # Moved items are gone with their worker: they get a Failure.
      def write_off(batch, range)
        failures = range.map { |index| PoolFailures.died(batch.target, index, :lost) }
        @engine.file(batch, range.begin, failures.freeze, true)
      end

      # @return [Array<Range>] of the slots that are not filled
      def empty(batch)
        places = (0...batch.size).reject do |index|
          batch.completion.filled?(index) || @engine.elsewhere?(batch, index)
        end
        places.slice_when { |place, following| following != place + 1 }.map { |run| run.first..run.last }
      end
    end
  end
end
