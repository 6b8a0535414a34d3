# frozen_string_literal: true

module Ratomic
  module Workers
    # The counts of a pool. They are Counters and Maps, so workers write them and any Ractor reads them, without
    # messages between them.
    class Metrics
      # Upper bounds of the latency histogram's buckets in seconds: a factor of 4 from 16 microseconds to 67 seconds.
      BOUNDS = Array.new(12) { |i| (16 * (4**i)) / 1_000_000.0 }.freeze
      COUNTS = %i[dispatches dropped overflowed retries cancelled expired overdue rejected respawns
                  pauses abandoned runners_replaced troubles by_waiter fallback_items fallback_dispatches].freeze

      ANONYMOUS = "(anonymous)"

      # @param counts [Array<Integer>] of the buckets
      # @param share [Float] 0.0 to 1.0
      # @return [Float, nil] the upper bound of the bucket in which that share is reached, or the highest bound there
      #   is; nil if the buckets are empty
      def self.quantile(counts, share)
        return if (total = counts.sum).zero?

        seen = 0
        BOUNDS[counts.index { |count| (seen += count) >= total * share }] || BOUNDS.last
      end

      attr_reader(*COUNTS)
      # @return [Tally] counts the dispatches that callers ran themselves, and the latency of all dispatches
      attr_reader :tally
      # @return [Map] Failures by the name of the exception's class
      attr_reader :failures
      # @return [LastFailures]
      attr_reader :last_failures
      # @return [Map] errors that no caller could rescue, by class and message
      attr_reader :trouble_log
      # @return [Names] what dispatches with a name have done
      attr_reader :names
      # @return [Counter] nanoseconds for which workers that have ended were busy
      attr_reader :past_busy

      # @param pool [String, nil] its name
      def initialize(pool = nil)
        @pool = pool
        COUNTS.each { |name| instance_variable_set(:"@#{name}", Counter.new) }
        @failures = Map.new
        @last_failures = LastFailures.new
        @trouble_log = Map.new
        @tally = Tally.new
        @past_busy = Counter.new
        @pipelines = BoundedCache.new
        @names = Names.new
        freeze
      end

      # Remembers the pipeline of a new dispatch, for {#pipelines}.
      def note_pipeline(callable)
        return unless (pipeline = Pipeline.in(callable))

        @pipelines[Callable.key(pipeline)] ||= [pipeline.to_s, pipeline.stage_metrics].freeze
      end

      # Counts a new batch.
      def count_batch(batch)
        @dispatches.increment
        @names.begin(batch.options.as) if batch.options.as
      end

      # @return [Hash{String => Array<Hash>}] {Pipeline#stats} of each pipeline, by the names of its stages. Of two
      #   pipelines with the same names the second is "name (2)".
      def pipelines
        times = Hash.new(0)
        @pipelines.to_h.values.to_h do |name, stages|
          [(times[name] += 1) == 1 ? name : "#{name} (#{times[name]})", stages.map(&:to_h)]
        end
      end

      # @param times [Integer] a negative number takes back what was counted
      def count_failure(failure, times = 1)
        count_class(failure.exception_class, times)
      end

      # Counts the Failures that a partial sum has counted without keeping them.
      # @param partial [Partial]
      # @param sign [Integer] -1 takes back what was counted
      def count_omitted(partial, sign = 1)
        partial.omitted.each { |name, count| count_class(name, sign * count) }
      end

      # Counts a Failure, and keeps it in {#last_failures}.
      # @param callable [String] its name
      # @param dispatch [Integer, nil] number of the dispatch; nil if the caller ran it
      # @param context [Object, nil] of the dispatch
      def note_failure(failure, callable, dispatch, context, times = 1)
        number = count_failure(failure, times)
        @last_failures.keep(shown(failure.exception_class), number, {
          time: Process.clock_gettime(Process::CLOCK_REALTIME), failure: failure, callable: callable,
          dispatch: dispatch, context: context
        }.freeze)
      end

      # Counts an error that was raised in a thread of the pool itself, where no caller can rescue it. The first error
      # of each class is shown with `warn`, except ShutdownError: the user has asked for the shutdown.
      # @param error [Exception, Failure]
      # @param place [String] where it was raised
      def trouble(error, place)
        @troubles.increment
        failure = Failure === error ? error : Failure.from(error, nil)
        unless failure.exception_class == ShutdownError.name
          ErrorWarning.once(failure, "#{place} of the pool #{@pool}")
        end
        return unless @trouble_log.size < 20

        @trouble_log["#{failure.exception_class}: #{failure.message}"[0, 200]] = failure.backtrace.first.to_s
      end

      # @return [Hash{Float => Integer}] upper bound in seconds (the last is infinity) => count of the dispatches that
      #   took at most so long, and longer than the bound before
      def latency
        (BOUNDS + [Float::INFINITY]).zip(@tally.buckets).to_h
      end

      # @return [Float] the sum of the seconds that all completed dispatches took
      def latency_sum
        @tally.microseconds / 1_000_000.0
      end

      # @return [Hash{Symbol => Integer}]
      def counts
        counts = COUNTS.to_h { |name| [name, public_send(name).value] }
        counts.merge(by_caller: @tally.by_caller, by_caller_items: @tally.items_by_caller)
      end

      private

      def count_class(name, times)
        @failures.increment(shown(name), times)
      end

      # Counts classes without a name together, because a program may make any number of them.
      def shown(name)
        name.start_with?("#<") ? ANONYMOUS : name
      end
    end
  end
end
