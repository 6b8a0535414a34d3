# frozen_string_literal: true

module Plots
  # Which numbers make which picture.
  class Figures
    # @param folder [String] with the results
    def initialize(folder)
      @folder = folder
      @files = Hash.new { |files, name| files[name] = Numbers.new(File.join(@folder, "#{name}.txt")) }
    end

    # @yieldparam name [String] of the picture
    # @yieldparam svg [String]
    def each
      %i[documents ways_home threads batches latency grid memory].each { |name| yield name, public_send(name).to_s }
    end

    # Speed-up of parsing by size of the documents.
    def documents
      found = workers.scan(/\A(\d+) B, ParseJSON, (sequential map|the talk's pool|Ratomic::Workers) \((.+)x\)\z/)
      sizes = found.map(&:first).uniq
      by_name = found.group_by { |_, name,| name }
      Bars.new("JSON documents, results kept, ParseJSON", sizes.map { |size| "#{size} bytes" },
               by_name.transform_values { |lines| lines.map { |line| Float(line[2]) } },
               note: workers.machine, unit: "speed-up over a map with JSON.parse", mark: 1)
    end

    # Speed-up by the way that results come home.
    def ways_home
      found = owned.scan(/\A(\d+) B, (\d+) ms, (.+) \(speed-up\)\z/)
      found.reject! { |_, _, name,| name == "sequential map" || name.include?("nothing returned") }
      labels = found.map { |size, ms,| "#{size} B, #{ms} ms" }.uniq
      Bars.new("Ways home: frozen, owned, values of bare Ractors", labels,
               found.group_by { |line| line[2] }.transform_values { |lines| lines.map(&:last) },
               note: owned.machine, unit: "speed-up over a map with JSON.parse", mark: 1)
    end

    # Throughput of batches from many threads.
    def threads
      found = workers.scan(/\A(\d+) threads, (the talk's pool|Ratomic::Workers)\z/)
      Lines.new("Batches of 100 documents from many threads at once", places(found), by_series(found),
                note: workers.machine, unit: "documents a second, by threads that dispatch")
    end

    # How long the slowest of a hundred such batches takes.
    def batches
      found = workers.scan(/\A(\d+) threads, (the talk's pool|Ratomic::Workers), p99 of a batch\z/)
      Lines.new("The same batches: the slowest of a hundred", places(found), by_series(found),
                note: workers.machine, unit: "milliseconds (p99), by threads that dispatch")
    end

    # One item there and back, and small dispatches with and without giant ones beside them.
    def latency
      median = ["the talk's pool, one item", "Ratomic::Workers, one item", "one item, run by the caller"]
      Bars.new("One item there and back", ["the talk's pool", "a worker", "run by the caller"],
               { "median" => median.map { |name| workers[name] } }, note: workers.machine, unit: "microseconds")
    end

    # Where the pool is faster than a map, and where it is not.
    def grid
      found = workers.scan(/\A(\d+) items of (\d+) us/).map { |count, cost, value| [Integer(count), cost, value] }
      counts = found.map(&:first).uniq.sort
      series = found.group_by { |_, cost,| "#{cost} us each" }.transform_values do |cells|
        counts.map { |count| cells.find { |cell| cell.first == count }&.last }
      end
      Lines.new("min_batch: :auto, by cost and number of items", counts, series, note: workers.machine,
                                                                                 unit: "speed-up over a map, by items",
                                                                                 scale: :log, mark: 1)
    end

    # Resident memory of workers.
    def memory
      found = workers.scan(/\A(\d+) workers, (idle|after work): resident memory of each\z/)
      Bars.new("Resident memory of a worker", places(found).map { |size| "#{size} workers" }, by_series(found),
               note: workers.machine, unit: "megabytes")
    end

    private

    def workers
      @files["workers"]
    end

    def owned
      @files["owned"]
    end

    def places(found)
      found.map { |place,| Integer(place) }.uniq
    end

    def by_series(found)
      found.group_by { |_, name,| name }.transform_values { |lines| lines.map(&:last) }
    end
  end
end
