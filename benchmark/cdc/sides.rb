# frozen_string_literal: true

module CdcBench
  # Lets both sides decode the stream, and compares.
  class Sides
    PROGRAM = File.expand_path("side.rb", __dir__)
    # The times of the sequential run that are asked for, on a machine whose forks reach so many.
    ASKED = 1.5
    FORKS = 1.7
    # Times the memory of the sequential run.
    MEMORY = 1.5

    # @param bench [WorkersBench::Bench]
    # @param capture [String] path of a stream
    # @param options [Hash{Symbol => Object}] :megabytes, :workers, :yjit
    def initialize(bench, capture, options)
      @bench = bench
      @capture = capture
      @options = options
      @peaks = Hash.new { |all, side| all[side] = [] }
      @changes = []
    end

    def run
      @bench.title "#{@options[:megabytes]} MB of a version 2 stream (#{source}), decoded and counted"
      sides = { "sequential" => -> { side("sequential") }, "Workers" => -> { side("workers") },
                "two forks" => -> { forks } }
      times = @bench.compare(sides, warm: 0)
      abort "the sides have counted differently: #{@changes.tally}" if @changes.uniq.size > 1

      speed(times)
      memory
    end

    private

    def source
      @options[:capture] ? File.basename(@capture) : "made from a seed"
    end

    def speed(times)
      times.first(2).each { |name, seconds| @bench.show("#{name}, #{@changes.first} changes", seconds, "s") }
      reached = @bench.share("sequential", of: "Workers")
      @bench.show("Workers / sequential", reached, "x")
      @bench.show("two forks that decode half each / one process", times["two forks"], "x")
      # On a machine that gives less than two processors' worth, the same part of what it gives.
      return @bench.ask("Workers / sequential", reached, at_least: ASKED) if times["two forks"] >= FORKS

      @bench.ask("Workers / sequential, as a part of what forks reach", reached / times["two forks"],
                 at_least: (ASKED / FORKS).round(2))
    end

    def memory
      peaks = @peaks.transform_values { |all| WorkersBench.median(all) }
      peaks.each { |side, megabytes| @bench.show("peak of resident memory, #{side}", megabytes, "MB") }
      return if peaks.size < 2

      @bench.ask("peak memory of Workers / sequential", peaks["workers"] / peaks["sequential"], at_most: MEMORY)
    end

    # @return [Float] seconds
    def side(name)
      facts = program(name)
      @changes << facts["changes"]
      @peaks[name] << facts["peak"] if facts["peak"]
      facts["seconds"]
    end

    # @return [Float] how many times faster two forks are than one process
    def forks
      facts = program("forks")
      facts["alone"] / facts["seconds"]
    end

    def program(name)
      options = [name, @capture, (@options[:megabytes] * 1_000_000).to_s, @options[:workers].to_s]
      yjit = @options[:yjit] && defined?(RubyVM::YJIT.enable) ? ["--yjit"] : []
      JSON.parse(WorkersBench.child(*yjit, PROGRAM, *options))
    end
  end
end
