# frozen_string_literal: true

module Ratomic
  module Workers
    # The state of all pools of this process, as plain data that JSON can hold. The live page and `ratomic top` show it.
    # Objects that come from items are converted to Strings, without a call of their methods.
    class Snapshot
      # @param history [History]
      def initialize(history)
        @history = history
      end

      # @return [Hash{Symbol => Object}]
      def to_h
        {
          ratomic: VERSION, ruby: "#{RUBY_ENGINE} #{RUBY_VERSION}", pid: Process.pid, program: Text.of($PROGRAM_NAME),
          time: Process.clock_gettime(Process::CLOCK_REALTIME), processors: Etc.nprocessors,
          pools: Pool.running.map { |number, pool, engine| of(number, pool, engine) }
        }
      end

      # @return [String]
      def to_json(*)
        require "json"
        JSON.generate(to_h)
      end

      private

      def of(number, pool, engine)
        stats = pool.stats
        {
          number: number, max_queue: engine.run_queue.capacity, backend: stats[:backend].to_s,
          state: stats[:state].to_s,
          **stats.slice(:name, :size, :dispatches, :items, :failures, :notes, :events_dropped, :troubles, :names),
          callables: stats[:callables].map { |callable| callable.merge(name: Text.of(callable[:name])) },
          workers: stats[:workers].reject { |name, _| name == :busy_seconds },
          latency: latency(stats[:latency]), running: stats[:running].map { |running| running(running) },
          last_failures: last_failures(stats),
          history: history(engine)
        }
      end

      def history(engine)
        now = Clock.now
        @history.points(engine).map { |point| { age: now - point.time, **point.to_h } }
      end

      def last_failures(stats)
        stats[:last_failures].transform_values { |notes| notes.map { |note| failure(note) } }
      end

      # The quantiles are upper bounds of buckets. The last bucket has none, so the one before it stands for it.
      def latency(histogram)
        counts = histogram[:buckets].values
        quantiles = { p50: 0.5, p95: 0.95, p99: 0.99 }.transform_values { |share| Metrics.quantile(counts, share) }
        count = histogram[:count]
        { count: count, mean: count.zero? ? nil : histogram[:seconds] / count, **quantiles }
      end

      def running(running)
        known = running[:callable]
        running.merge(callable: known && Text.of(known), context: context(running[:context]))
      end

      def failure(note)
        failure = note[:failure]
        { time: note[:time], callable: Text.of(note[:callable].to_s), dispatch: note[:dispatch],
          context: context(note[:context]), index: failure.index, remedy: failure.remedy, **told(failure) }
      end

      def told(failure)
        { exception_class: failure.exception_class, message: failure.message[0, 2000], backtrace: failure.backtrace,
          cause: failure.cause && told(failure.cause) }
      end

      def context(context)
        context.nil? ? nil : ShortInspect.of(context)
      end
    end
  end
end
