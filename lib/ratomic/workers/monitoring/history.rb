# frozen_string_literal: true

module Ratomic
  module Workers
    # Throughput and latency of the last minutes. Pools only count. A thread reads their counters every few seconds, and
    # the differences between two samples are the history. The thread starts with the first reader. It ends when nobody
    # has read the history for the time that it covers.
    class History
      # Seconds between two samples, and how many points are kept (ten minutes).
      INTERVAL_S = 5
      MAX_POINTS = 120

      Sample = Struct.new(:time, :items, :dispatches, :microseconds, :buckets, :busy, :failures)
      # The counts are per second. `time` is a monotonic clock in seconds. `mean` and `slow` are seconds, and nil if no
      # dispatch has ended in between. `busy` is the share of the workers' time in which they ran items.
      Point = Struct.new(:time, :items, :dispatches, :mean, :slow, :busy, :failures)

      LOCK = Thread::Mutex.new
      private_constant :LOCK

      class << self
        # @return [History] of this process; its samples begin now if there was no reader before
        def current
          Interrupts.synchronize(LOCK) { (@current ||= new).tap(&:look) }
        end

        # In a forked child the thread of the parent's history does not exist, so the child begins a new one. See
        # {ForkHook}.
        # @api private
        def after_fork
          @current = nil
        end
      end

      def initialize
        @samples = {} # number of an engine => the last Sample
        @points = {} # number of an engine => Points
        @lock = Thread::Mutex.new
        @looked = nil
      end

      # Called by each reader.
      # @return [self]
      def look
        @looked = Clock.now
        Interrupts.synchronize(@lock) { @thread = start unless @thread&.alive? }
        self
      end

      # @param engine [Engine]
      # @return [Array<Point>] the oldest first
      def points(engine)
        Interrupts.synchronize(@lock) { @points[engine.number].to_a.dup }
      end

      # Ends the thread.
      def stop
        Interrupts.synchronize(@lock) do
          @thread&.kill
          @thread = nil
        end
      end

      # Takes a sample of each pool that runs.
      # @api private
      def sample
        running = Pool::RUNNING.values.map(&:last)
        Interrupts.synchronize(@lock) do
          [@samples, @points].each { |kept| kept.keep_if { |number, _| running.any? { |each| each.number == number } } }
          running.each { |engine| add(engine, sample_of(engine)) }
        end
      end

      private

      def add(engine, sample)
        points = @points[engine.number] ||= []
        before = @samples[engine.number]
        points << point(before, sample, engine.size) if before
        points.shift if points.size > MAX_POINTS
        @samples[engine.number] = sample
      end

      def start
        OwnThread.start("ratomic-history") do
          while Clock.now - @looked < INTERVAL_S * MAX_POINTS
            sample
            sleep(INTERVAL_S)
          end
        end
      rescue ThreadError => e # there is no room for a thread: the statistics of now can be read all the same
        ErrorWarning.once(Failure.from(e, nil), "the history of the statistics")
        nil
      end

      def sample_of(engine)
        metrics = engine.metrics
        tally = metrics.tally
        buckets = tally.buckets
        Sample.new(Clock.now, engine.finished.value + tally.items_by_caller, buckets.sum, tally.microseconds, buckets,
                   busy(engine), metrics.failures.values.sum)
      end

      def busy(engine)
        now = Clock.nanoseconds
        engine.worker_statuses.values.sum do |worker_status|
          worker_status.busy_until(now)
        end + engine.metrics.past_busy.value
      end

      def point(before, after, size)
        seconds = after.time - before.time
        rate = ->(what) { (after[what] - before[what]) / seconds }
        busy = (rate[:busy] / 1e9 / size).clamp(0.0, 1.0)
        Point.new(after.time, rate[:items], rate[:dispatches], *latency(before, after), busy, rate[:failures])
      end

      # @return [Array(Float, Float)] the mean and the 95th percentile of dispatches that ended between two samples
      def latency(before, after)
        buckets = after.buckets.zip(before.buckets).map { |last, first| last - first }
        return [nil, nil] unless (count = buckets.sum).positive?

        [(after.microseconds - before.microseconds) / 1e6 / count, Metrics.quantile(buckets, 0.95)]
      end
    end
  end
end
