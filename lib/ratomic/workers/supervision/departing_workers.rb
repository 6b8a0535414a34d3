# frozen_string_literal: true

module Ratomic
  module Workers
    # The workers that end in order to hand over their owned results. The results are the value of the worker's Ractor
    # when it has ended.
    #
    # The coordinator learns that a Ractor has ended. A caller does not wait in `Ractor#value`, because that wait cannot
    # be interrupted.
    class DepartingWorkers
      # Seconds to wait for the end of a Ractor. After that its results are lost.
      ARRIVAL_TIMEOUT_S = 2.0

      # @param backend [Module] see {Backend::Defaults}
      # @param timer_queue [TimerQueue]
      def initialize(backend, timer_queue)
        @backend = backend
        @timer_queue = timer_queue
        @bodies = {}.compare_by_identity # body => [home, monotonic seconds at which it is late]
        @next = nil
        @heap_collector = HeapCollector.new
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

      # Checks which Ractors have ended.
      # @return [Boolean] whether there was one
      def look
        before = @bodies.size
        @bodies.delete_if { |body, (home, _)| arrive(body, home) }
        @bodies.size < before
      end

      # Stops waiting for the Ractors whose time is over.
      # @return [void]
      def give_up(now = Clock.now)
        look
        @bodies.each_value { |home, late| home.arrive(OwnedResults::LOST) if late <= now }
        @bodies.delete_if { |_, (_, late)| late <= now }
        @next = nil
        remind(@bodies.each_value.map(&:last).min) unless @bodies.empty?
      end

      # Stops waiting for all of them.
      # @return [void]
      def leave_all
        give_up(Float::INFINITY)
      end

      def empty?
        @bodies.empty?
      end

      private

      # Makes one entry in the timer queue for all of them. Thousands of workers end this way, and nearly all are in
      # time.
      def remind(late)
        @next = late
        @timer_queue.add(late, :homeless)
      end

      def arrive(body, home)
        return false if @backend.alive?(body)

        home.arrive(OwnedResults::ENDED)
        @heap_collector.ractor_ended if HEAP_PER_RACTOR
        true
      end
    end
  end
end
