# frozen_string_literal: true

module WorkersBench
  # Owned results (`results: :owned`) of JSON documents: they belong to the caller, and are not frozen. They are
  # compared with those of a sequential `map`, which are not frozen either; with two bare Ractors whose values are taken
  # (the least that it costs to bring a heap home); and with two forked processes that return nothing (the most that
  # this machine can give). Also measured: what 10,000 such dispatches leave behind.
  class Owned
    SIZES = [524, 5_000, 19_000].freeze
    # Milliseconds of work for one processor.
    WORK = [4, 16].freeze
    # A dispatch takes some milliseconds, in which the machine has a good or a bad moment.
    ROUNDS = 8
    # What two forked processes have to reach for the machine to count as one of two processors, see {Grid}.
    FORKS = 1.5
    # In a process of its own: resident megabytes after so many dispatches of some milliseconds, whose results are
    # dropped. It ends earlier when it has taken too long.
    MEMORY = <<~'RUBY'
      require "ratomic"
      require "json"
      parse = Module.new { def self.call(document) = JSON.parse(document) }
      document = JSON.generate(Array.new(20) { |i| { id: i, name: "user-#{i}", tags: %w[a b] * 3 } })
      documents = Array.new(Integer(ARGV[1])) { document.dup.freeze }.freeze
      rss = -> { File.read("/proc/self/status")[/VmRSS:\s+(\d+)/, 1].to_i / 1024.0 }
      pool = Ratomic::Workers::Pool.new(size: 2, min_batch: 0, results: :owned)
      limit = Process.clock_gettime(Process::CLOCK_MONOTONIC) + 55
      done = 0
      seen = [100, Integer(ARGV[0])].map do |count|
        until done == count || Process.clock_gettime(Process::CLOCK_MONOTONIC) > limit
          pool.dispatch_async(documents, parse).value
          done += 1
        end
        rss.call
      end
      puts [*seen, done].join(" ")
    RUBY

    # Parses as a caller does that wants to change the results.
    module Parse
      def self.call(document)
        JSON.parse(document)
      end
    end

    def initialize(bench)
      @bench = bench
      @pool = Ratomic::Workers::Pool.new(size: 2).start
    end

    def run
      SIZES.product(WORK) { |bytes, milliseconds| documents(bytes, milliseconds) }
      [50, 200].each { |count| memory(count) }
    ensure
      @pool.shutdown
    end

    private

    def documents(bytes, milliseconds)
      documents = Load.documents(bytes, count(bytes, milliseconds))
      @bench.title "#{documents.size} JSON documents of #{bytes} bytes, about #{milliseconds} ms of work, owned"
      times = @bench.compare(ways(documents), rounds: @bench.rounds * ROUNDS, warm: 12)
      shares = [@bench.share("two bare Ractors, their values", of: "Workers, owned"),
                *better.map { |name| @bench.share("sequential map", of: name) }]
      # On their own: after a fork the next write to each page of the process copies that page.
      times.merge!(@bench.compare({ "two forked processes, nothing returned" => -> { timed { forks(documents) } } }))
      show(times, "#{bytes} B, #{milliseconds} ms")
      puts "  #{@pool.explain(documents, Parse, results: :owned).to_s.lines.last}"
      judge("#{bytes} B, #{milliseconds} ms", shares, times)
    end

    def better
      ["Workers, owned", "Workers, frozen"]
    end

    def show(times, name)
      alone = times["sequential map"]
      times.each { |way, seconds| @bench.show("#{name}, #{way} (speed-up)", alone / seconds, "x") }
    end

    def judge(name, shares, times)
      @bench.ask("#{name}, owned results / two bare Ractors", shares[0], at_least: 0.95)
      best = shares.drop(1).max
      @bench.ask("#{name}, the better of owned and frozen / sequential map", best, at_least: 0.95)
      forks = times["sequential map"] / times["two forked processes, nothing returned"]
      @bench.ask("#{name}, the same / two forked processes", best / forks, at_least: 0.9) if forks >= FORKS
    end

    # How many documents make so much work here.
    def count(bytes, milliseconds)
      some = Load.documents(bytes, 200)
      each = Array.new(7) { timed { some.each { |document| Parse.call(document) } } }.min / some.size
      [(milliseconds / 1000.0 / each).ceil, 4].max
    end

    def ways(documents)
      halves = documents.each_slice((documents.size + 1) / 2).map { |half| Ractor.make_shareable(half) }
      { "sequential map" => -> { timed { documents.map { |document| Parse.call(document) } } },
        "two bare Ractors, their values" => -> { timed { bare(halves) } },
        "Workers, owned" => -> { timed { @pool.dispatch_async(documents, Parse, results: :owned).value } },
        "Workers, frozen" => -> { timed { @pool.dispatch_async(documents, Ratomic::Workers::ParseJSON).value } } }
    end

    def bare(halves)
      halves.map { |half| Ractor.new(half) { |mine| mine.map { |document| Parse.call(document) } } }.flat_map(&:value)
    end

    def forks(documents)
      children = documents.each_slice((documents.size + 1) / 2).map do |half|
        fork { half.each { |document| Parse.call(document) } && exit!(0) }
      end
      children.each { |pid| Process.wait(pid) }
    end

    def timed
      started = WorkersBench.now
      yield
      WorkersBench.now - started
    end

    def memory(count)
      @bench.title "10,000 owned dispatches of #{count} documents in a row (or as many as fit into a minute)"
      few, many, done = WorkersBench.child("-e", MEMORY, "10000", count.to_s).split.map(&:to_f)
      @bench.show("resident memory after 100 owned dispatches of #{count} documents", few, "MB")
      @bench.show("resident memory after #{done.to_i} of them", many, "MB")
      # The allocator and the heap round up to some megabytes.
      @bench.ask("resident memory after #{done.to_i} owned dispatches of #{count} documents / after 100 and 8 MB",
                 many / (few + 8), at_most: 1.05)
    end
  end
end
