# frozen_string_literal: true

require "tempfile"

module WorkersBench
  # JSON lines from a file, by `stream` and by a plain loop. The consumer counts results and drops them.
  class Streams
    BYTES = 900
    LINES = 40_000
    Parse = Ratomic::Workers::ParseJSON
    # Share of the loop's time, where two forked processes need 0.6 of it or less.
    ASKED = { "stream, dropped" => 0.7, "stream, key:, dropped" => 0.8,
              "stream, max_in_flight: 50, dropped" => 1.0 }.freeze
    # From '"id":' on, which every document has.
    KEY = ->(line) { line.byteslice(line.byteindex('"id"') || 0, 24) }

    # Parses, and brings home a number.
    module Count
      def self.call(line)
        JSON.parse(line).size
      end
    end

    # Parses, and brings nothing home.
    module Drop
      def self.call(line)
        JSON.parse(line)
        Ratomic::Workers::DROPPED
      end
    end

    def initialize(bench)
      @bench = bench
      @pool = Ratomic::Workers::Pool.new(size: Etc.nprocessors).start
    end

    def run
      Tempfile.create("lines") do |file|
        documents = Load.documents(BYTES, 2000).map { |text| text.delete("\n") }
        LINES.times { |number| file.puts(documents[number % documents.size]) }
        file.flush
        measure(file.path)
      end
    ensure
      @pool.shutdown
    end

    private

    def measure(path)
      @bench.title "#{LINES} JSON lines of #{BYTES} bytes from a file"
      times = @bench.compare(contestants(path))
      shares = ASKED.to_h { |name, _| [name, @bench.share(name, of: "loop")] }
      # On its own: after a fork the next write to each page of the process copies that page.
      times.merge!(@bench.compare({ "two forked processes" => -> { timed { forked(path) } } }))
      times.each do |name, seconds|
        @bench.show("#{name} (#{(seconds / times["loop"]).round(2)}x)", seconds, "s")
      end
      shares.each { |name, share| @bench.ask("#{name} / loop", share, at_most: ASKED[name]) }
    end

    def contestants(path)
      { "loop" => -> { timed { File.foreach(path) { |line| JSON.parse(line) } } },
        "stream, ParseJSON" => stream(path, Parse), "stream, a number" => stream(path, Count),
        "stream, dropped" => stream(path, Drop),
        "stream, key:, dropped" => stream(path, Drop, key: KEY),
        "stream, max_in_flight: 50, dropped" => stream(path, Drop, max_in_flight: 50) }
    end

    def stream(path, callable, **options)
      -> { timed { @pool.stream(File.foreach(path), callable, **options).count } }
    end

    def timed
      started = WorkersBench.now
      yield
      WorkersBench.now - started
    end

    def forked(path)
      middle = File.size(path) / 2
      children = [[0, middle], [middle, File.size(path)]].map { |from, to| fork { half(path, from, to) && exit!(0) } }
      children.each { |pid| Process.wait(pid) }
    end

    def half(path, from, to)
      File.open(path) do |file|
        file.seek(from)
        file.gets if from.positive?
        while file.pos <= to && (line = file.gets)
          JSON.parse(line)
        end
      end
      true
    end
  end
end
