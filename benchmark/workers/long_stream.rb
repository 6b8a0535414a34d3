# frozen_string_literal: true

require "tempfile"

module WorkersBench
  # A stream that runs for long and whose results the caller drops: how much memory it needs, compared with a loop, and
  # how long another pool's item has to wait meanwhile, because of collections and of other work.
  class LongStream
    BYTES = 5_000
    # Seconds for each of both.
    SECONDS = 30
    # In a process of its own. Prints the peak of resident memory in MB, the documents that were parsed in a second, and
    # the 99.9th percentile of what an item of another pool takes, in milliseconds (0 for the loop).
    PROGRAM = <<~'RUBY'
      require "ratomic"
      require "json"
      way, seconds, path = ARGV
      parse = Ratomic::Workers::ParseJSON
      now = -> { Process.clock_gettime(Process::CLOCK_MONOTONIC) }
      RubyVM::YJIT.enable if defined?(RubyVM::YJIT.enable)
      stop = now.call + Float(seconds)
      documents = Enumerator.new do |all|
        File.foreach(path, chomp: true) { |line| all << line } while now.call < stop
      end
      count = 0
      waits = []
      if way == "loop"
        documents.each { |document| JSON.parse(document) && count += 1 }
      else
        other = Ratomic::Workers::Pool.new(size: 1, min_batch: 0).start
        watcher = Thread.new do
          while now.call < stop
            started = now.call
            other.dispatch_async(["[1]"], parse).value
            waits << now.call - started
            sleep 0.002
          end
        end
        pool = Ratomic::Workers::Pool.new(size: 2)
        pool.stream(documents, parse).each { count += 1 }
        watcher.join
      end
      peak = File.read("/proc/self/status")[/VmHWM:\s+(\d+)/, 1].to_i / 1024.0
      waits.sort!
      puts [peak, count / Float(seconds), (waits[((waits.size - 1) * 0.999).round] || 0) * 1000].join(" ")
    RUBY

    def initialize(bench)
      @bench = bench
    end

    def run
      @bench.title "A stream of JSON documents of #{BYTES} bytes for #{SECONDS} seconds, results dropped"
      Tempfile.create("documents") do |file|
        Load.documents(BYTES, 2000).each { |document| file.puts(document.delete("\n")) }
        file.flush
        show(*%w[loop stream].map { |way| measure(way, file.path) })
      end
    end

    private

    # @return [Array<Float>] see PROGRAM
    def measure(way, path)
      WorkersBench.child("-e", PROGRAM, way, SECONDS.to_s, path).split.map(&:to_f)
    end

    def show(alone, stream)
      @bench.show("loop, peak of resident memory", alone[0], "MB")
      @bench.show("stream, peak of resident memory", stream[0], "MB")
      @bench.show("loop", alone[1], "documents/s")
      @bench.show("stream (#{(stream[1] / alone[1]).round(2)}x)", stream[1], "documents/s")
      @bench.ask("peak memory of a long stream / loop", stream[0] / alone[0], at_most: 1.3)
      @bench.ask("p99.9 of another pool's item beside a long stream, in ms", stream[2], at_most: 50)
    end
  end
end
