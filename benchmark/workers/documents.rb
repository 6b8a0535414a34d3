# frozen_string_literal: true

module WorkersBench
  # Parsing JSON documents, results kept, from one thread and from many at once.
  class Documents
    SIZES = { 524 => 2000, 5_000 => 400, 19_000 => 120 }.freeze
    THREADS = [1, 3, 5, 8, 10].freeze
    # A batch takes some milliseconds, in which the machine has a good or a bad moment: it takes more rounds.
    MORE = 5
    Parse = Ratomic::Workers::ParseJSON

    # As the talk parses: the json gem freezes.
    module Talk
      OPTIONS = { freeze: true }.freeze

      def self.call(text)
        JSON.parse(text, **OPTIONS)
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
      rates = compare(contestants(documents), documents)
      shares = [Talk, Parse].map { |callable| [name_of(callable), share(name_of(callable))] }
      # On its own: after a fork the next write to each page of the process copies that page.
      rates.merge!(compare({ "ParseJSON, two forked processes" => -> { forked(documents) } }, documents))
      rates.each do |name, value|
        @bench.show("#{bytes} B, #{name} (#{(value / rates["JSON.parse, sequential map"]).round(2)}x)", value,
                    "documents/s")
      end
      shares.each do |name, share|
        @bench.ask("#{bytes} B, #{name}, from one thread / the talk's pool", share, at_least: 1)
      end
    end

    def compare(works, documents)
      @bench.compare(works.transform_values { |work| -> { rate(documents.size, &work) } },
                     rounds: @bench.rounds * MORE)
    end

    # Both pools with what the talk parses with, and with ours, which makes documents as frozen in less time.
    def contestants(documents)
      pools = { "the talk's pool" => @talk, "Ratomic::Workers" => @pool }
      all = { "JSON.parse, sequential map" => -> { documents.map { |text| JSON.parse(text) } } }
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

    def share(name)
      @bench.share("#{name}, Ratomic::Workers", of: "#{name}, the talk's pool")
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

    # Throughput should not fall with more threads. All in the same rounds, or the machine's moods would be compared.
    def many_threads(documents)
      @bench.title "Batches of 100 documents of 5,000 bytes (freeze: true) from many threads at once"
      @p99 = Hash.new { |all, key| all[key] = [] }
      rates = @bench.compare(crowds(documents), rounds: @bench.rounds * 4)
      rates.each { |(threads, name), value| @bench.show("#{threads} threads, #{name}", value, "documents/s") }
      @p99.each do |(threads, name), times|
        @bench.show("#{threads} threads, #{name}, p99 of a batch", WorkersBench.median(times), "ms")
      end
      judge
    end

    def crowds(documents)
      THREADS.product(["the talk's pool", "Ratomic::Workers"]).to_h do |threads, name|
        pool = name == "Ratomic::Workers" ? @pool : @talk
        [[threads, name], -> { from_threads(threads, pool, documents) { |p99| @p99[[threads, name]] << p99 } }]
      end
    end

    def judge
      ours = THREADS.map { |threads| [threads, "Ratomic::Workers"] }
      worst = ours.each_cons(2).map { |before, after| @bench.share(after, of: before) }.min
      @bench.ask("throughput with more threads, the largest step down", worst, at_least: 0.95)
      @bench.ask("10 threads / the talk's pool", @bench.share(ours.last, of: [10, "the talk's pool"]), at_least: 1.3)
    end

    # @yieldparam p99 [Float] milliseconds
    def from_threads(threads, pool, documents)
      rounds = (20.0 / threads).ceil
      times = []
      total = rate(threads * rounds * documents.size) do
        running = Array.new(threads) do
          Thread.new { Array.new(rounds) { milliseconds { pool.dispatch_async(documents, Talk).value } } }
        end
        times = running.flat_map(&:value)
      end
      yield WorkersBench.percentile(times, 0.99)
      total
    end

    def milliseconds
      started = WorkersBench.now
      yield
      (WorkersBench.now - started) * 1000
    end
  end
end
