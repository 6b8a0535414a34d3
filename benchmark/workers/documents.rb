# frozen_string_literal: true

module WorkersBench
  # Parsing JSON documents, results kept, from one thread and from many at once.
  class Documents
    SIZES = { 524 => 2000, 5_000 => 400, 19_000 => 120 }.freeze
    THREADS = [1, 3, 5, 8, 10].freeze
    Parse = Ratomic::Workers::ParseJSON

    # As the talk parses: the json gem freezes.
    module Talk
      OPTIONS = { freeze: true }.freeze

      def self.call(text)
        JSON.parse(text, OPTIONS)
      end
    end

    def initialize(bench)
      @bench = bench
      @talk = TalkPool.new(Etc.nprocessors)
      @pool = Ratomic::Workers::Pool.new(size: Etc.nprocessors).start
    end

    def run
      SIZES.each { |bytes, count| one_thread(bytes, Load.documents(bytes, count)) }
      many_threads(Load.documents(5_000, 100))
    ensure
      @talk.shutdown
      @pool.shutdown
    end

    private

    def one_thread(bytes, documents)
      @bench.title "#{documents.size} JSON documents of #{bytes} bytes from one thread"
      rates = @bench.compare(contestants(documents).transform_values { |work| -> { rate(documents.size, &work) } })
      rates.each do |name, value|
        @bench.show("#{bytes} B, #{name} (#{(value / rates["JSON.parse, sequential map"]).round(2)}x)", value,
                    "documents/s")
      end
      [Talk, Parse].each { |callable| judge_one(bytes, rates, "#{name_of(callable)}, the talk's pool") }
    end

    # Every pool with what the talk parses with, and with ours, which makes documents as frozen in less time.
    def contestants(documents)
      pools = { "the talk's pool" => @talk, "Ratomic::Workers" => @pool }
      all = { "JSON.parse, sequential map" => -> { documents.map { |text| JSON.parse(text) } },
              "ParseJSON, two forked processes" => -> { forked(documents) } }
      [Talk, Parse].each do |callable|
        all["#{name_of(callable)}, sequential map"] = -> { documents.map { |text| callable.call(text) } }
        pools.each do |name, pool|
          all["#{name_of(callable)}, #{name}"] = -> { pool.dispatch_async(documents, callable).value }
        end
      end
      all
    end

    def name_of(callable)
      callable == Talk ? "freeze: true" : "ParseJSON"
    end

    def judge_one(bytes, rates, other)
      @bench.ask("#{bytes} B from one thread / #{other}", rates["ParseJSON, Ratomic::Workers"] / rates[other],
                 at_least: 1)
    end

    def rate(count)
      started = WorkersBench.now
      yield
      count / (WorkersBench.now - started)
    end

    def forked(documents)
      children = documents.each_slice(documents.size / 2).map do |half|
        fork { half.each { |text| Parse.call(text) } && exit!(0) }
      end
      children.each { |pid| Process.wait(pid) }
    end

    # Throughput should not fall with more threads.
    def many_threads(documents)
      @bench.title "Batches of 100 documents of 5,000 bytes from many threads at once"
      reached = THREADS.to_h do |threads|
        rates = @bench.compare({ "the talk's pool" => -> { from_threads(threads, @talk, documents) },
                                 "Ratomic::Workers" => -> { from_threads(threads, @pool, documents) } }, rounds: 3)
        rates.each { |name, value| @bench.show("#{threads} threads, #{name}", value, "documents/s") }
        @bench.show("#{threads} threads, Ratomic::Workers, p99 of a batch", @p99[@pool], "ms")
        [threads, rates]
      end
      judge(reached)
    end

    def judge(reached)
      ours = reached.transform_values { |rates| rates["Ratomic::Workers"] }
      worst = ours.values.each_cons(2).map { |before, after| after / before }.min
      @bench.ask("throughput with more threads, the largest step down", worst, at_least: 0.95)
      @bench.ask("10 threads / the talk's pool", ours[10] / reached[10]["the talk's pool"], at_least: 1.3)
    end

    def from_threads(threads, pool, documents)
      rounds = (20.0 / threads).ceil
      times = []
      total = rate(threads * rounds * documents.size) do
        running = Array.new(threads) do
          Thread.new { Array.new(rounds) { milliseconds { pool.dispatch_async(documents, Parse).value } } }
        end
        times = running.flat_map(&:value)
      end
      (@p99 ||= {})[pool] = WorkersBench.percentile(times, 0.99)
      total
    end

    def milliseconds
      started = WorkersBench.now
      yield
      (WorkersBench.now - started) * 1000
    end
  end
end
