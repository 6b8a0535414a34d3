# frozen_string_literal: true

module Ratomic
  module Workers
    # The thread that sleeps in the place of a coordinator whose mailbox takes no timeout, see {TimerQueue}. At the time
    # that was set it sends a tick, no more: what is due then, such as a deadline, the coordinator takes from the
    # {TimerQueue} and hands to the {Watchdog}. If an item's code kills the thread, it sends a last tick, and the
    # coordinator starts another one.
    class TimerThread
      def initialize(mailbox)
        @times = times = Queue.new(1024)
        @thread = OwnThread.start("ratomic-timer") { TimerThread.sleep(times, mailbox) }
      end

      # Sets a time for a tick. Of several times the earliest counts, and the others are forgotten.
      # @param at [Float] monotonic seconds
      def set(at)
        @times.push(at)
      rescue ::ClosedQueueError
        nil # its last tick is on the way
      end

      def ended?
        @times.closed? || !@thread.alive?
      end

      # Waits for the end of the thread: a Ractor that ends with a living thread while the program ends can lock up
      # CRuby 4.0.5.
      def close
        @times.close
        @thread.join
      end

      # @param times [Queue] of new alarm times; closing it ends the thread
      def self.sleep(times, mailbox)
        at = nil
        until times.closed?
          earlier = times.pop(timeout: Clock.left(at))
          if earlier
            at = earlier if at.nil? || earlier < at
          elsif !times.closed?
            at = nil
            mailbox.send(TimerQueue::TICK)
          end
        end
      ensure
        times.close
        mailbox.send(TimerQueue::TICK)
      end
    end
    private_constant :TimerThread
  end
end
