# frozen_string_literal: true

require_relative "comparison"
require_relative "failed"
require_relative "modes"
require_relative "row"

module Demo
  # Does a job in every mode and measures it. The first round warms each mode up and compares its results with the
  # sequential ones, deeply. Then every round runs the modes in another order, each after a full collection, so that
  # none pays for the garbage of the one before; the figures are the medians.
  class Runner
    # @param modes [#call] see {Modes}
    # @param rounds [Integer] measured rounds
    # @param progress [#step]
    def initialize(modes, rounds, progress)
      @modes = modes
      @rounds = rounds
      @progress = progress
    end

    # @param job [Job]
    # @yieldparam outcome [Array] of the ractors mode, once it is known to equal the sequential one
    # @return [Array<Row>] one for each mode
    # @raise [Mismatch] when a mode gives other results than the sequential one
    def run(job, &block)
      bytes, failures, mark = warm_up(job, &block)
      measure(job, mark).then do |times|
        times.map do |mode, seconds|
          Row.new(job.name, mode, job.size, bytes, failures, seconds, times["sequential"] / seconds)
        end
      end
    end

    private

    # The results end with this method, so that the collector has them before anything is measured.
    def warm_up(job)
      results, = run_mode(job, "sequential", "warm-up")
      expected = job.outcome(results)
      @modes.names.drop(1).each do |mode|
        results, = run_mode(job, mode, "warm-up")
        next unless results # processes have none

        outcome = job.outcome(results)
        Comparison.check(expected, outcome, "#{job.name}, #{mode}")
        yield outcome if mode == "ractors" && block_given?
      end
      [job.bytes(expected), expected.count { |result| Failed.in?(result) }, Comparison.fingerprint(expected)]
    end

    def measure(job, mark)
      times = @modes.names.to_h { |mode| [mode, []] }
      @rounds.times do |round|
        @modes.names.shuffle(random: Random.new(round)).each do |mode|
          results, seconds = run_mode(job, mode, "round #{round + 1} of #{@rounds}")
          check_mark(job, mode, mark, results) if results
          times[mode] << seconds
        end
      end
      times.transform_values { |list| median(list) }
    end

    def run_mode(job, mode, step)
      @progress.step("#{job.name}: #{mode}, #{step}")
      GC.start
      start = Process.clock_gettime(Process::CLOCK_MONOTONIC)
      results = @modes.call(mode, job)
      [results, Process.clock_gettime(Process::CLOCK_MONOTONIC) - start]
    end

    def check_mark(job, mode, mark, results)
      return if mark == Comparison.fingerprint(job.outcome(results))

      raise Mismatch, "#{job.name}, #{mode}: the results differ from the sequential ones"
    end

    def median(list)
      sorted = list.sort
      (sorted[(sorted.size - 1) / 2] + sorted[sorted.size / 2]) / 2.0
    end
  end
end
