# frozen_string_literal: true

module Ratomic
  module Workers
    # Chooses who runs dispatches of middle size, the caller or the pool. Also who runs larger ones ({Deferral}), the
    # thread that asks for the results or the pool: that thread is the caller in what follows.
    #
    # An estimate cannot tell. Two processors may be two halves of one, and a wake-up takes longer on one machine than
    # on another. So both are timed for each callable, the faster one gets the work, and the other one gets one dispatch
    # now and then, so that its time stays known (an epsilon-greedy bandit).
    #
    # What is timed is how long the caller is held up, by running the items or by waiting for them. A caller that makes
    # many dispatches before it waits, or never waits, is held up least by the pool, however long each takes there.
    class RouteChooser
      # One of so many dispatches (a power of two) takes the slower way.
      EXPLORE_RATE = 32
      # A sample counts as this many times the average at most. Other work of the machine makes samples longer, never
      # shorter.
      MAX_OUTLIER = 2
      private_constant :MAX_OUTLIER

      # @param samples [Integer] how often each way is taken before one is chosen. The first ones of a large dispatch
      #   are slow: code is not compiled yet, the heap grows. Of these the fastest counts. With 1, no sample is limited
      # @param margin [Float] the pool, which occupies all processors, is chosen if the caller takes more than this many
      #   times as long
      # @param slow_rate [Integer] takes the place of {EXPLORE_RATE} (a power of two) if the slower way takes more than
      #   twice the time
      def initialize(samples: 1, margin: 1.0, slow_rate: EXPLORE_RATE)
        @by_caller = BoundedCache.new
        @by_pool = BoundedCache.new
        @first_samples = samples
        @margin = margin
        @counts = [BoundedCache.new, BoundedCache.new].freeze
        @unused = BoundedCache.new
        @slow_rate = slow_rate
        @turns = Counter.new
        freeze
      end

      # @return [Boolean] whether the caller is to do the next dispatch
      def caller?(key)
        return now_and_then?(EXPLORE_RATE) if (@unused[key] || 0) >= @first_samples
        return true unless (by_caller = known(@by_caller, 0, key))
        return false unless (by_pool = known(@by_pool, 1, key))

        faster, slower = [by_caller, by_pool].minmax
        caller_first?(by_caller, by_pool) ^ now_and_then?(slower > faster * 2 ? @slow_rate : EXPLORE_RATE)
      end

      # Whether the caller's way is known to be the better one.
      def settled?(key)
        (times = times(key)) ? caller_first?(*times) : false
      end

      # Whether the caller's way is taken, where both times are known.
      def caller_first?(by_caller, by_pool)
        by_caller <= by_pool * @margin
      end

      # A dispatch was left to the caller, who did not do it.
      def note_unused(key)
        @unused[key] = (@unused[key] || 0) + 1
      end

      # @return [Array(Float, Float), nil] nanoseconds for a unit, by the caller and by the pool; nil while one of them
      #   is not known
      def times(key)
        times = [known(@by_caller, 0, key), known(@by_pool, 1, key)]
        times if times.all?
      end

      # A caller has run a dispatch.
      # @param nanoseconds [Integer] that it took
      # @param units [Integer] items, or their weight
      def learn_caller(key, nanoseconds, units)
        @unused.delete(key) if @unused[key]
        learn(@by_caller, 0, key, nanoseconds.fdiv(units)) if units.positive?
      end

      # The pool has run a dispatch, or runs it still.
      # @param nanoseconds [Integer] that the caller waited
      def learn_pool(key, nanoseconds, units)
        learn(@by_pool, 1, key, nanoseconds.fdiv(units)) if units.positive?
      end

      private

      # @return [Boolean] true once in so many times
      def now_and_then?(rate)
        (@turns.increment & (rate - 1)).zero?
      end

      # @return [Float, nil] nil while that way was not taken often enough
      def known(times, way, key)
        times[key] if @first_samples == 1 || (@counts[way][key] || 0) >= @first_samples
      end

      def learn(times, way, key, sample)
        return times.average(key, sample) if @first_samples == 1

        count = @counts[way][key] || 0
        known = times[key]
        return times.average(key, [sample, known * MAX_OUTLIER].min) if count >= @first_samples && known

        @counts[way][key] = count + 1
        times[key] = [known, sample].compact.min
      end
    end
  end
end
