# frozen_string_literal: true

require "etc"
require_relative "report"

module Cdc
  # Has what comes in counted by a pool of workers while the next is read. When the workers have enough to do, the
  # thread that reads counts too. So as many threads are busy as there are processors. One more would slow all of them
  # down: a garbage collection stops every Ractor, and has to wait for the one whose turn on a processor it is not.
  # What comes of it is taken in the order of the stream.
  class Pipeline
    # Bytes of the runs of one reduction at least, unless it is the last: workers are busy with them for some
    # milliseconds.
    ITEM = 256 * 1024
    # Reductions on their way for each worker: as much as it does while a large transaction is read.
    IN_FLIGHT = 6
    # How many different complaints are remembered, and how many lines of each kind are printed.
    KINDS = 1000
    LINES = 3

    # What the thread that reads has counted, among the reductions of workers.
    class Done
      attr_reader :sum

      def initialize(sum)
        @sum = sum
      end

      def ready?
        true
      end

      def value!
        self
      end
    end

    # @param callable [CountRuns]
    # @param workers [Integer, nil] size of the pool; nil for one worker less than there are processors
    # @param rows [IO, nil] gets the lines of {PrintRuns}, and everything else goes to standard error
    # @yieldparam pipeline [Pipeline]
    def self.open(callable, workers, rows: nil)
      pool = Ratomic::Workers::Pool.new(size: workers || [Etc.nprocessors - 1, 1].max, name: "cdc")
      yield new(callable, pool, rows)
    ensure
      pool&.shutdown(timeout: 10)
    end

    def initialize(callable, pool, rows)
      @callable = callable
      @pool = pool
      @rows = rows
      @runs = []
      @size = 0
      @waiting = []
      @totals = Totals.new
      @most = IN_FLIGHT * pool.size
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
      when Run
        @runs << event
        dispatch if (@size += event.bytesize) >= ITEM
      when Loss then @lost << event if @lost.size < KINDS
      when Notice then @notices << event if @notices.size < KINDS
      end
    end

    # Waits for what is on its way, and prints what came of it.
    #
    # @param source [Recording, Intake] where the runs came from
    # @param statistics [Statistics, nil] what to compare with
    # @param error [Error, nil] what ended the stream too early
    # @return [Boolean] whether nothing failed and every number is equal
    def report(source, statistics, error = nil)
      dispatch
      collect until @waiting.empty?
      report = Report.new(@totals, source.messages, statistics)
      (@rows ? $stderr : $stdout).puts(report, summary(source, statistics))
      notes.each { |line| warn line }
      complaints = complaints(report, error)
      complaints.each { |line| warn line }
      complaints.empty?
    end

    private

    def dispatch
      return if @runs.empty?

      collect while @waiting.first&.ready?
      @waiting << (enough? ? Done.new(count) : @pool.reduce_async(@runs, @callable, min_batch: 0, sequential: true))
      @runs = []
      @size = 0
    end

    # Whether the workers have enough to do.
    def enough?
      @waiting.count { |reduction| !reduction.ready? } >= @most
    end

    def count
      @callable.call_many(@runs).reduce { |sum, other| @callable.merge(sum, other) }
    end

    def collect
      result = @waiting.shift.value!.sum
      @totals.add(result.tally)
      @rows&.write(result.text)
      @failed += result.rejected.size
      result.rejected.each do |rejected|
        next if @rejected.size >= KINDS && !@rejected.key?(rejected.reason)

        seen = @rejected[rejected.reason]
        seen[0] += 1
        seen[1] ||= rejected
      end
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
