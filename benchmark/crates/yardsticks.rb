# frozen_string_literal: true

require "json"
require "tmpdir"

# Ratios of throughput between contestants of ext/ratomic-core/benches/yardsticks.rs, by the names that they have there.
module Crates
  COMPARISONS = [%w[Table DashMap], ["Table", "DashMap by hash"], %w[Queue ArrayQueue], %w[Queue channel]].freeze
  TITLES = { "channel" => "crossbeam_channel::bounded" }.freeze
  THREADS = [1, 2, 4].freeze

  # Nanoseconds that the threads together take for the operations of a contest.
  Figure = Struct.new(:contest, :threads, :who, :time)

  # Runs the yardsticks with cargo.
  class Yardsticks
    # @param root [String] the project
    # @param seconds [Float] how long a contestant is measured
    def initialize(root, seconds)
      @root = root
      @seconds = seconds
    end

    def build
      bench({}, "--no-run")
    end

    # One round: criterion writes each of its results into a folder.
    # @return [Array<Figure>]
    def run
      Dir.mktmpdir do |folder|
        bench({ "CRITERION_HOME" => folder }, "--", "--warm-up-time", (@seconds / 5).to_s, "--measurement-time",
              @seconds.to_s, "--noplot", "--quiet")
        Dir["#{folder}/**/new/benchmark.json"].map { |file| figure(File.dirname(file)) }
      end
    end

    def versions
      lock = File.read(File.join(@root, "Cargo.lock"))
      %w[dashmap crossbeam-queue crossbeam-channel].map do |crate|
        "#{crate} #{lock[/name = "#{crate}"\nversion = "(.+)"/, 1]}"
      end
    end

    private

    def bench(environment, *arguments)
      environment = { "CARGO_TARGET_DIR" => File.join(@root, "build/rust/bench") }.merge(environment)
      command = %w[cargo bench --locked --quiet -p ratomic-core --bench yardsticks]
      system(environment, *command, *arguments, chdir: @root, out: File::NULL, exception: true)
    end

    def figure(folder)
      id, estimates = %w[benchmark estimates].map { |name| JSON.parse(File.read(File.join(folder, "#{name}.json"))) }
      contest = id.fetch("group_id")
      count = Integer(id["value_str"] || 1)
      # Of producers and consumers the yardstick counts the pairs.
      threads = contest.include?("producers") ? count * 2 : count
      Figure.new(contest, threads, id.fetch("function_id"), estimates.dig("median", "point_estimate"))
    end
  end

  # Throughput of ours over theirs, with a line for each contest that both were in.
  def self.table(ours, theirs, rounds)
    contests = rounds.first.select { |figure| figure.who == theirs }.map(&:contest).uniq.sort
    head = THREADS.map { |count| format("%10s", count == 1 ? "1 thread" : "#{count} threads") }
    lines = contests.map do |contest|
      cells = THREADS.map { |count| cell(rounds, contest, count, ours, theirs) }
      "  #{contest.ljust(32)}#{cells.join}".rstrip
    end
    [format("%-34s", "#{ours} / #{TITLES.fetch(theirs, theirs)}") + head.join, *lines]
  end

  def self.cell(rounds, contest, threads, ours, theirs)
    ratios = rounds.filter_map do |figures|
      times = [theirs, ours].map do |who|
        figures.find { |figure| [figure.contest, figure.threads, figure.who] == [contest, threads, who] }&.time
      end
      times.first.fdiv(times.last) if times.all?
    end
    ratios.empty? ? " " * 10 : format("%10.2f", ratios.sort[ratios.size / 2])
  end
  private_class_method :cell
end
