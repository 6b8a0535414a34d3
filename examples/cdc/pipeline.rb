# frozen_string_literal: true

require "etc"
require_relative "group_queue"
require_relative "grouping"
require_relative "report"

module Cdc
  # Counts changes in a pool of workers and in the thread that reads, while that thread reads the next ones
  # ({GroupQueue}). The counts are taken in the order of the stream.
  class Pipeline
    # How many different complaints are remembered, and how many lines of each kind are printed.
    KINDS = 1000
    LINES = 3

    # @param callable [CountRuns]
    # @param workers [Integer, nil] size of the pool; nil for one worker less than there are processors
    # @param rows [IO, nil] gets the lines of {PrintRuns}, and everything else goes to standard error
    # @yieldparam pipeline [Pipeline]
    def self.open(callable, workers, rows: nil)
      pool = Ratomic::Workers::Pool.new(size: workers || [Etc.nprocessors - 1, 1].max, name: "cdc")
      groups = GroupQueue.new(callable, pool)
      yield new(groups, rows)
    ensure
      groups&.close
      pool&.shutdown(timeout: 10)
    end

    # @return [Totals] of what came back so far
    attr_reader :totals

    # @param groups [GroupQueue]
    # @param rows [IO, nil] see {Pipeline.open}
    def initialize(groups, rows)
      @groups = groups
      @rows = rows
      @grouping = Grouping.new
      @totals = Totals.new
      @rejected = Hash.new { |hash, reason| hash[reason] = [0, nil] }
      @failed = 0
      @lost = []
      @notices = []
      @started = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end

    # @param event [Run, Transaction::Emitted, Loss, Notice] in the order of the stream
    # @return [void]
    def push(event)
      case event
      when Run then @grouping.add(event) { |runs, bytes| hand_on(runs, bytes) }
      when Loss then @lost << event if @lost.size < KINDS
      when Notice then @notices << event if @notices.size < KINDS
      end
    end

    # Waits for what is on its way.
    #
    # @return [void]
    def finish
      @grouping.finish { |runs, bytes| hand_on(runs, bytes) }
      @groups.finish
      collect
    end

    # As {#finish}, and prints what came of it.
    #
    # @param source [Recording, Intake] where the runs came from
    # @param statistics [Statistics, nil] what to compare with
    # @param error [Error, nil] what ended the stream too early
    # @return [Boolean] whether nothing failed and every number is equal
    def report(source, statistics, error = nil)
      finish
      report = Report.new(@totals, source.messages, statistics)
      (@rows ? $stderr : $stdout).puts(report, summary(source, statistics))
      notes.each { |line| warn line }
      complaints = complaints(report, error)
      complaints.each { |line| warn line }
      complaints.empty?
    end

    private

    def hand_on(runs, bytes)
      @groups.push(runs, bytes)
      collect
    end

    def collect
      @groups.each_ready do |counted|
        @totals.add(counted.tally)
        @rows&.write(counted.text)
        @failed += counted.rejected.size
        counted.rejected.each { |rejected| note(rejected) }
      end
    end

    def note(rejected)
      return if @rejected.size >= KINDS && !@rejected.key?(rejected.reason)

      seen = @rejected[rejected.reason]
      seen[0] += 1
      seen[1] ||= rejected
    end

    def notes
      @notices.reject(&:damage?).group_by(&:kind).values.flat_map { |same| some(same.map { |one| "note: #{one}" }) }
    end

    def complaints(report, error)
      lost = @lost.map { |loss| "lost: #{loss}" } + @notices.select(&:damage?).map { |notice| "lost: #{notice}" }
      rejected = @rejected.values.map { |count, one| "not decoded: #{one}#{", and #{count - 1} more" if count > 1}" }
      [lost, rejected, report.differences].flat_map { |lines| some(lines) } + [error&.message].compact
    end

    def some(lines)
      lines.size > LINES ? lines.first(LINES) << "... and #{lines.size - LINES} more lines like these" : lines
    end

    def summary(source, statistics)
      seconds = Process.clock_gettime(Process::CLOCK_MONOTONIC) - @started
      format("%<changes>d changes in %<transactions>d transactions, %<bytes>d bytes, %<failures>d failures, " \
             "%<seconds>.2f s%<server>s",
             changes: @totals.changes, transactions: source.transactions, bytes: source.bytes,
             failures: @failed + source.losses, seconds: seconds,
             server: statistics && " (PostgreSQL #{statistics.server})")
    end
  end
end
