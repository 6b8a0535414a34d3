# frozen_string_literal: true

module Ratomic
  module Workers
    # What a pool has learnt about each of its callables: the time that a unit of weight takes, and whether callers may
    # run it. Shared by all workers and callers. A callable is **caller-unsafe** once an item of it ended its thread,
    # left something on it, or used what only the main Ractor has.
    class Costs
      # Time to wake a worker: before it was measured, and the range to which measurements are limited.
      WAKE_LATENCY_NS = 30_000
      WAKE_LATENCY_RANGE_NS = (2_000..100_000)

      # A callable whose items take longer than this, on average, is not run by callers. Neither is one whose dispatch
      # took longer than this in all, and more than so many times its estimate.
      MAX_CALLER_ITEM_NS = 2_000_000
      MAX_OVERRUN_FACTOR = 8
      # So many chunks in a row without a slow item, and callers may run the callable.
      MIN_STABLE_RUNS = 16
      # After so many, one slow chunk is forgiven: a busy machine stops a thread now and then. It is not learnt from.
      # The next one is forgiven after MIN_STABLE_RUNS more.
      MAX_STABLE_RUNS = 2 * MIN_STABLE_RUNS

      # Lower limit of `gain`: a pool that cannot save time (one worker, or threads) is there so that work goes on
      # beside the caller.
      MIN_GAIN = 0.5

      # Dispatches for which an answer of the {CallerRunsCache} is good. Then the work is measured again.
      CACHED_USES = 1023

      # See {RouteChooser#initialize}.
      DEFERRAL_SAMPLES = { samples: 3, margin: 1.1, slow_rate: 128 }.freeze
      private_constant :DEFERRAL_SAMPLES

      # @return [RouteChooser] of dispatches of middle size
      attr_reader :route_chooser
      # @return [CallerRunsCache] has the callables of which callers ran small dispatches a moment ago
      attr_reader :caller_runs_cache
      # @return [CallerContention] of dispatches that could be deferred
      attr_reader :contention

      # @param gain [Float] share of the time that all workers together save, at best
      def initialize(gain)
        @gain = [gain, MIN_GAIN].max
        @route_chooser = RouteChooser.new
        @deferral_choosers = Array.new(2) { RouteChooser.new(**DEFERRAL_SAMPLES) }.freeze
        @caller_runs_cache = CallerRunsCache.new
        @contention = CallerContention.new
        @stable_runs = BoundedCache.new
        @waking = Counter.new(WAKE_LATENCY_NS)
        @nanoseconds = BoundedCache.new
        @small = BoundedCache.new
        @caller_unsafe = BoundedCache.new
        @names = BoundedCache.new
        freeze
      end

      # @param owned [Boolean] whether the results are not frozen: to bring them home costs something else then
      # @return [RouteChooser] of larger dispatches, see {Deferral}
      def deferral_chooser(owned)
        @deferral_choosers[owned ? 1 : 0]
      end

      # @return [Float, nil] nanoseconds for a unit of weight
      def of(key)
        @nanoseconds[key]
      end

      # The weight up to which a dispatch is over before a worker would be awake. nil for a callable that callers must
      # not run: it was measured too seldom, was slow lately, or is caller-unsafe. Computed when something is learnt,
      # and an Integer, because it is read at every dispatch.
      # @return [Integer, nil]
      def small(key)
        @small[key]
      end

      # Notes the name of a callable before anything is learnt of it.
      def introduce(key, callable)
        @names[key] = String === key ? key : Callable.label(callable)
        mark_caller_unsafe(key, :per_worker) if Callable.per_worker?(callable)
      end

      # @param weight [Integer] what was run
      # @param nanoseconds [Integer] how long it took
      # @param items [Integer] how many they were
      def learn(key, weight, nanoseconds, items)
        return unless weight.positive? # there were no items

        known = @nanoseconds[key]
        slow = slow?(nanoseconds, items, known && (known * weight))
        return forgive(key) if slow && @stable_runs[key] == MAX_STABLE_RUNS

        cost = @nanoseconds.average(key, (nanoseconds + 1).fdiv(weight))
        runs = count_runs(key, slow)
        runs < MIN_STABLE_RUNS ? forbid(key) : @small[key] = (waking / (@gain * cost)).floor
        forbid(key) if caller_unsafe?(key) # last: another thread may have marked it meanwhile
      end

      # Puts the callable into the {CallerRunsCache}, so that callers run its next small dispatches without asking here.
      # @param callable [#call] shareable, and admitted by {Engine#admit}
      def permit(callable, key)
        return unless (small = @small[key])

        @caller_runs_cache.grant(callable, number = number(key), small, CACHED_USES)
        @caller_runs_cache.revoke(number) unless @small[key] # another thread may have forbidden it meanwhile
      end

      # Nanoseconds that a dispatch to a sleeping worker takes besides its items: waking the worker, and then the
      # caller.
      # @return [Integer]
      def waking
        @waking.value * 2
      end

      # @param nanoseconds [Integer] from a dispatch to its start in a worker that had slept
      def learn_waking(nanoseconds)
        known = @waking.value
        # Limited, because a worker that was only starting, or a busy machine, gives samples that are far too long.
        sample = [nanoseconds, known * 2].min.clamp(WAKE_LATENCY_RANGE_NS)
        @waking.reset(known + ((sample - known) / 16))
      end

      # @return [Hash{String => Float}] nanoseconds for a unit of weight, by callable; of several with one name the
      #   second is "name (2)"
      def to_h
        times = Hash.new(0)
        @nanoseconds.to_h.transform_keys do |key|
          name = name_of_key(key)
          (times[name] += 1) == 1 ? name : "#{name} (#{times[name]})"
        end
      end

      # @return [Array<Hash>] what was learnt of each callable, see {Stats}; the most expensive first
      def callables
        small = @small.to_h
        stable_runs = @stable_runs.to_h
        caller_unsafe = @caller_unsafe.to_h
        names = @names.to_h
        @nanoseconds.to_h.sort_by { |_, cost| -cost }.map do |key, cost|
          { name: names[key] || name_of_key(key), nanoseconds: cost, small: small[key],
            stable_runs: stable_runs[key] || 0,
            caller_unsafe: caller_unsafe[key] || false }
        end
      end

      # Removes the callable from the {CallerRunsCache}: it took far longer than expected.
      def withdraw(key)
        @caller_runs_cache.revoke(number(key))
      end

      # @param batch [Batch]
      # @return [String] of its callable, for people
      def name_of(batch)
        key = batch.key
        return name_of_key(key) if Module === key || String === key || RactorLocalRefs::Ref === batch.callable

        Callable.label(batch.callable)
      end

      # Marks the callable as caller-unsafe, for as long as the cache keeps it.
      # @param why [true, :per_worker]
      def mark_caller_unsafe(key, why = true) # rubocop:disable Style/OptionalBooleanParameter
        @caller_unsafe[key] = why
        forbid(key)
      end

      def caller_unsafe?(key)
        @caller_unsafe[key] ? true : false
      end

      private

      # After as many quick chunks again the next slow one is forgiven.
      def forgive(key)
        @stable_runs[key] = MIN_STABLE_RUNS
      end

      # Runs of a caller-unsafe callable do not count: if the cache loses the mark, it begins again.
      # @return [Integer] stable runs
      def count_runs(key, slow)
        return @stable_runs[key] = 0 if slow || caller_unsafe?(key)

        runs = (@stable_runs[key] || 0) + 1
        runs > MAX_STABLE_RUNS ? MAX_STABLE_RUNS : @stable_runs[key] = runs
      end

      def slow?(nanoseconds, items, expected)
        nanoseconds > MAX_CALLER_ITEM_NS * items ||
          (nanoseconds > MAX_CALLER_ITEM_NS && !expected.nil? && nanoseconds > MAX_OVERRUN_FACTOR * expected)
      end

      def name_of_key(key)
        @names[key] || (Module === key ? Reflection.name_of(key) : key.to_s)
      end

      def forbid(key)
        @small.delete(key)
        withdraw(key)
      end

      def number(key)
        Integer === key ? key : Reflection.id_of(key)
      end
    end
  end
end
