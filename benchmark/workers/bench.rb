# frozen_string_literal: true

require "etc"
require "rbconfig"

# What the parts of benchmark/workers have in common.
module WorkersBench
  def self.now
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end

  def self.median(numbers)
    sorted = numbers.sort
    (sorted[(sorted.size - 1) / 2] + sorted[sorted.size / 2]) / 2.0
  end

  def self.percentile(numbers, share)
    sorted = numbers.sort
    sorted[((sorted.size - 1) * share).round]
  end

  # Runs Ruby in a process of its own, with the libraries of this one.
  # @param arguments [Array<String>] options, then a program or -e and its text, then what that is given
  # @return [String] what it has printed
  def self.child(*arguments)
    paths = $LOAD_PATH.flat_map { |path| ["-I", path] }
    output = IO.popen([RbConfig.ruby, "-W:no-experimental", *paths, *arguments], &:read)
    raise "a process of the benchmark has failed: #{Process.last_status}" unless Process.last_status.success?

    output
  end

  # Runs contestants in rounds, prints what they reached, and remembers what was asked and missed.
  class Bench
    attr_reader :rounds, :missed

    def initialize(rounds)
      @rounds = rounds
      @results = {}
      @asked = []
      @missed = []
    end

    def machine
      jit = defined?(RubyVM::YJIT) && RubyVM::YJIT.enabled? ? "YJIT on" : "no JIT"
      "#{RUBY_DESCRIPTION}\nratomic #{Ratomic::VERSION}, #{jit}, #{Etc.nprocessors} processors (#{processor}), " \
        "#{Time.now.utc.strftime("%Y-%m-%d %H:%M UTC")}, medians of #{rounds} shuffled rounds"
    end

    def title(text)
      puts "", text
    end

    # @param contestants [Hash{String => Proc}] each returns a number
    # @return [Hash{String => Float}] the medians
    def compare(contestants, rounds: @rounds, warm: 1)
      warm.times { contestants.each_value(&:call) }
      @seen = seen = Hash.new { |all, name| all[name] = [] }
      rounds.times do
        contestants.to_a.shuffle.each do |name, work|
          GC.start
          seen[name] << work.call
        end
      end
      contestants.keys.to_h { |name| [name, WorkersBench.median(seen[name])] }
    end

    # What one contestant of the last comparison reached for each that another did: the median of the rounds, because
    # the machine is not in every round as fast.
    # @return [Float]
    def share(one, of:)
      WorkersBench.median(@seen.fetch(one).zip(@seen.fetch(of)).map { |own, others| own / others })
    end

    # How many times faster the one is than the other, now. Both run in turn, there and back, so that a machine that
    # gets faster or slower meanwhile does so for both.
    # @param one [Proc] returns seconds, as the other
    # @return [Float]
    def speed_up(one, over:)
      GC.start
      before = over.call
      took = one.call + one.call
      (before + over.call) / took
    end

    def show(name, value, unit)
      @results[name] = value
      puts format("  %-58<name>s %12.2<value>f %<unit>s", name: name, value: value, unit: unit)
    end

    # @param share [Float] what was reached
    def ask(name, share, at_least: nil, at_most: nil)
      met = at_least ? share >= at_least : share <= at_most
      bound = at_least ? "at least #{at_least}" : "at most #{at_most}"
      line = format("%<name>s: %<share>.2fx, asked %<bound>s", name: name, share: share, bound: bound)
      puts "  #{met ? "met   " : "MISSED"} #{line}"
      @asked << { what: name, reached: share.round(3), asked: bound, met: met }
      @missed << line unless met
    end

    def verdict
      missed.empty? ? "\nAll that was asked for is there." : "\nMissed:\n  #{missed.join("\n  ")}"
    end

    def to_h
      { ruby: RUBY_DESCRIPTION, processor: processor, processors: Etc.nprocessors, date: Time.now.utc.to_s,
        rounds: rounds, results: @results.transform_values { |value| value.round(4) }, asked: @asked }
    end

    private

    def processor
      File.readable?("/proc/cpuinfo") ? File.read("/proc/cpuinfo")[/^model name\s*:\s*(.+)$/, 1] : "unknown"
    end
  end
end
