# frozen_string_literal: true

module Ratomic
  module Workers
    # The workers that are on their way home: they end, and what they have made is then the value of their Ractor.
    #
    # It is the coordinator who hears that a Ractor has ended. Who waited for that in `Ractor#value` itself could not be
    # interrupted there.
    class DepartingWorkers
      # Seconds that a Ractor gets to end. What it has made is lost then.
      ARRIVAL_TIMEOUT_S = 2.0
      # Where a Ractor has a heap of its own, that of one which has ended stays until a collection of the whole process,
      # and nothing else may bring one about. It takes longer the more of them there are. Heaps until then, and at least
      # so many times what the last one took.
      MIN_HEAPS_TO_COLLECT = 32
      GC_PAUSE_FACTOR = 4

      # @param backend [Module] see {Backend::Defaults}
      # @param timer_queue [TimerQueue]
      def initialize(backend, timer_queue)
        @backend = backend
        @timer_queue = timer_queue
        @bodies = {}.compare_by_identity # body => [home, monotonic seconds at which it is late]
        @next = nil
        @heaps = 0
        @collect_at = 0
      end

      # @param body [Ractor] that has ended or will
      # @param home [OwnedResults]
      # @param seconds [Numeric]
      # @return [void]
      def expect(body, home, seconds = ARRIVAL_TIMEOUT_S)
        late = Clock.now + seconds
        @bodies[body] = [home, late].freeze
        remind(late) if @next.nil? || late < @next
      end

      # Looks who has arrived.
      # @return [Boolean] whether somebody has
      def look
        before = @bodies.size
        @bodies.delete_if { |body, (home, _)| arrive(body, home) }
        @bodies.size < before
      end

      # Gives up those who are late.
      # @return [void]
      def give_up(now = Clock.now)
        look
        @bodies.delete_if { |_, (home, late)| late <= now && (home.arrive(OwnedResults::LOST) || true) }
        @next = nil
        remind(@bodies.each_value.map(&:last).min) unless @bodies.empty?
      end

      # Waits for none of them any more.
      # @return [void]
      def leave_all
        give_up(Float::INFINITY)
      end

      def empty?
        @bodies.empty?
      end

      private

      # One entry in the timer queue for all of them: workers come home by the thousand, and are never late.
      def remind(late)
        @next = late
        @timer_queue.add(late, :homeless)
      end

      def arrive(body, home)
        return false if @backend.alive?(body)

        home.arrive(OwnedResults::ENDED)
        collect if HEAP_PER_RACTOR
        true
      end

      def collect
        @heaps += 1
        return if @heaps < MIN_HEAPS_TO_COLLECT || (started = Clock.now) < @collect_at

        GC.start
        @heaps = 0
        @collect_at = (ended = Clock.now) + ((ended - started) * GC_PAUSE_FACTOR)
      end
    end
  end
end
