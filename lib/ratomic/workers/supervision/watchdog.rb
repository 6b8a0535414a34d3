# frozen_string_literal: true

module Ratomic
  module Workers
    # The coordinator's part that looks after time and losses: deadlines of dispatches, items that run too long, and
    # claims that a dead worker took with it.
    class Watchdog
      # Seconds that an interrupted item gets to end before its worker is given up.
      INTERRUPT_GRACE_S = 0.25
      # Seconds that workers get to file what they have when the time of their dispatch is up.
      FILE_REQUEST_TIMEOUT_S = 0.1
      # Seconds between two looks at the items of a batch, at least.
      MIN_WATCH_INTERVAL_S = 0.005
      # Seconds between two looks at a batch of which a part may be lost.
      AUDIT_INTERVAL_S = 0.05

      # @param engine [Engine]
      # @param timer_queue [TimerQueue]
      # @param registry [WorkerRegistry]
      def initialize(engine, timer_queue, registry)
        @engine = engine
        @timer_queue = timer_queue
        @registry = registry
        @filing = {} # ticket => workers that were asked to file what they have
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

      # The time of a whole dispatch is up. Its workers file what they have done of it, and then it ends.
      def expire(batch)
        return if batch.completion.complete?

        asked = 0
        @registry.busy_with(batch.ticket) { |member| asked += 1 if member.tell([:file, batch].freeze) }
        return expired(batch) if asked.zero? && !run_elsewhere?(batch) # a Turn files by itself what it has

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
      end

      # Workers that are still in a chunk of it send ahead what they have made, if they can.
      def recall(ticket)
        @registry.busy_with(ticket) { |member| member.tell([:recall, ticket].freeze) }
      end

      # Looks for items of a dispatch that have run too long. The next look is when the first of those that run now will
      # have; an item that starts in between cannot be overdue before that.
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

      # The interrupted item runs still: it is in a native call that cannot be interrupted.
      def grace(id, ticket, index, batch = nil)
        return unless (member = @registry[id])

        worker_status = member.worker_status
        return unless worker_status.ticket == ticket && (index.nil? || worker_status.index == index)

        @registry.abandon(id)
        return unless batch && index

        offer(batch.part(index + 1, worker_status.last)) if index + 1 < worker_status.last && !batch.moved?
        @timer_queue.add(Clock.now + INTERRUPT_GRACE_S, :audit, batch)
      end

      # When there is no room in the run queue now, there will be.
      def offer(part)
        @engine.offer(part) || @timer_queue.add(Clock.now + AUDIT_INTERVAL_S, :offer, part)
      end

      # A worker is gone, with a claim that nobody knows, or with the only token.
      # @param before [Object, nil] what the last look found: one look could meet a worker on its way
      def audit(batch, before = nil)
        return if batch.completion.complete?

        @timer_queue.add(Clock.now + AUDIT_INTERVAL_S, :audit, batch, look(batch, before))
      end

      def look(batch, before)
        @registry.busy_with(batch.ticket) { return before == :offered ? before : nil }
        return if run_elsewhere?(batch)

        return look_for_token(batch, before) if batch.unclaimed.positive?

        lost = empty(batch)
        return lost unless lost == before

        find(batch, lost)
        nil
      end

      # A {HelperThread}, or a caller ({Inline}), runs a part of it, and has more to offer if that ends early.
      def run_elsewhere?(batch)
        @engine.board.to_h.any? do |place, running|
          running.ticket == batch.ticket && !(Integer === place && place.positive?) # which is a worker's number
        end
      end

      # It may wait for its turn; a second token does no harm.
      def look_for_token(batch, before)
        offer(batch) if before == :unclaimed
        before.nil? ? :unclaimed : :offered
      end

      # All is claimed, and no worker is at it: the empty slots are what was lost. They run again one by one, so that an
      # item that ends its worker is found.
      def find(batch, lost)
        lost.each do |range|
          batch.moved? ? write_off(batch, range) : offer(batch.isolated_part(range.begin, range.end + 1))
        end
      end

      # Moved items are gone with the worker that had them.
      def write_off(batch, range)
        @engine.file(batch, range.begin, range.map do |index|
                                           PoolFailures.died(batch.target, index, :lost)
                                         end.freeze, true)
      end

      # @return [Array<Range>] of the slots that are not filled
      def empty(batch)
        places = (0...batch.size).reject { |index| batch.completion.filled?(index) }
        places.slice_when { |place, following| following != place + 1 }.map { |run| run.first..run.last }
      end
    end
  end
end
