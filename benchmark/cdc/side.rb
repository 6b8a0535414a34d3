# frozen_string_literal: true

# One side of benchmark/cdc, in a process of its own: side.rb (sequential|workers|forks) FILE BYTES [WORKERS]
# Prints a line of JSON: seconds, changes that were counted, and the peak of resident memory in MB.

require "json"
require_relative "../../examples/cdc/cdc"
require_relative "../../examples/cdc/pipeline"
require_relative "../workers/bench"

module CdcBench
  # Decodes the first bytes of a stream.
  class Side
    def initialize(path, bytes, workers)
      @file = File.open(path, "rb")
      @left = bytes
      @workers = workers
      @intake = Cdc::Intake.new
      @callable = Cdc::CountRuns.new(@intake.relations)
    end

    # Reads and counts in one thread.
    def sequential
      totals = Cdc::Totals.new
      seconds = timed { each_group { |runs, bytes, first| totals.add(count(runs, bytes, first).tally) } }
      { seconds: seconds, changes: totals.changes, peak: peak }
    end

    # As examples/cdc/run does.
    def workers
      changes = nil
      seconds = timed do
        Cdc::Pipeline.open(@callable, @workers) do |pipeline|
          each_event { |event| pipeline.push(event) }
          pipeline.finish
          changes = pipeline.totals.changes
        end
      end
      { seconds: seconds, changes: changes, peak: peak }
    end

    # Everything is read before. `alone` are the seconds of one process for all of it.
    def forks
      groups = []
      each_group { |runs| groups << runs }
      halves = groups.partition.with_index { |_runs, index| index.even? }
      decode(groups.first(8)) # so that it is compiled
      alone = timed { decode(groups) }
      { seconds: timed { halves.map { |half| fork { decode(half) && exit!(0) } }.each { |pid| ended(pid) } },
        alone: alone }
    end

    private

    # Both sides warm up with the same rows.
    def count(runs, bytes, first)
      first ? Cdc::WarmUp.run(bytes) { @callable.count_all(runs) } : @callable.count_all(runs)
    end

    def ended(pid)
      _, status = Process.wait2(pid)
      raise "a fork ended with #{status}" unless status.success?
    end

    def decode(groups)
      groups.each { |runs| @callable.count_all(runs) }
    end

    def each_event(&block)
      chunk = String.new(encoding: Encoding::BINARY)
      while @left.positive? && @file.read([1 << 20, @left].min, chunk)
        @left -= chunk.bytesize
        @intake.feed(chunk, &block)
      end
    end

    # The groups that Cdc::Pipeline makes, each with its bytes and whether it is the first.
    def each_group
      grouping = Cdc::Grouping.new
      first = true
      group = lambda do |runs, bytes|
        yield runs, bytes, first
        first = false
      end
      each_event { |event| grouping.add(event, &group) if event.is_a?(Cdc::Run) }
      grouping.finish(&group)
    end

    def timed
      started = WorkersBench.now
      yield
      WorkersBench.now - started
    end

    def peak
      status = "/proc/self/status"
      File.read(status)[/VmHWM:\s+(\d+)/, 1].to_i / 1024.0 if File.readable?(status)
    end
  end
end

side, path, bytes, workers = ARGV
workers = workers.to_s.empty? ? nil : Integer(workers)
puts JSON.generate(CdcBench::Side.new(path, Integer(bytes), workers).public_send(side))
