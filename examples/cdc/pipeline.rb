# frozen_string_literal: true

require_relative "report"

module Cdc
  # Sends what comes in to a pool of workers and keeps a few dispatches on their way, so that reading and decoding
  # overlap and the memory stays bounded.
  class Pipeline
    # Items of one dispatch at least, unless they are the last.
    BATCH = 500
    # Dispatches on their way. One more waits for the oldest.
    IN_FLIGHT = 8

    # @param relations [Ratomic::Map]
    # @param workers [Integer, nil] size of the pool; nil for the pool's default
    # @yieldparam pipeline [Pipeline]
    def self.open(relations, workers)
      pool = Ratomic::Workers::Pool.new(**(workers ? { size: workers } : {}), name: "cdc")
      yield new(DecodeChange.new(relations), pool)
    ensure
      pool&.shutdown(timeout: 10)
    end

    def initialize(decode, pool)
      @decode = decode
      @pool = pool
      @waiting = []
      @futures = []
      @failures = []
      @started = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end

    # @param items [Array<Message>] in the order of the stream
    # @return [void]
    def push(items)
      @waiting.concat(items)
      dispatch if @waiting.size >= BATCH
    end

    # Waits for what is on its way, and prints what came of it.
    #
    # @param source [Recording, Intake] where the items came from
    # @param statistics [Statistics]
    # @return [Boolean] whether nothing failed and every number is equal
    def report(source, statistics)
      dispatch
      collect until @futures.empty?
      report = Report.new(@decode.totals, source.messages, statistics)
      puts report, summary(source, statistics)
      complaints = @failures.first(3).map { |failure| "not decoded: #{failure.message}" } + report.differences.first(3)
      complaints.each { |line| warn line }
      complaints.empty?
    end

    private

    def dispatch
      return if @waiting.empty?

      collect if @futures.size >= IN_FLIGHT
      @futures << @pool.dispatch_async(@waiting, @decode)
      @waiting = []
    end

    def collect
      @failures.concat(@futures.shift.value.grep(Ratomic::Workers::Failure))
    end

    def summary(source, statistics)
      seconds = Process.clock_gettime(Process::CLOCK_MONOTONIC) - @started
      format("%<changes>d changes in %<transactions>d transactions, %<bytes>d bytes, %<failures>d failures, " \
             "%<seconds>.2f s (PostgreSQL %<server>s)",
             changes: @decode.totals.changes, transactions: source.transactions, bytes: source.bytes,
             failures: @failures.size, seconds: seconds, server: statistics.server)
    end
  end
end
