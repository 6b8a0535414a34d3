# frozen_string_literal: true

require "digest"
require "socket"

module WorkersBench
  # Worker processes: documents beside the `parallel` library, one item beside a bare socket pair, and memory.
  class Processes
    SIZE = 2
    BYTES = 5_000
    DOCUMENTS = 400
    ROUND_TRIPS = 1_000
    # Bytes of constants in the parent, and of what a worker may have for itself.
    CONSTANTS = 50_000_000
    MAX_OWN_MB = 8

    # The document.
    module Keep
      def self.call(text)
        JSON.parse(text)
      end
    end

    # A hundred bytes of it.
    module Digested
      def self.call(text)
        order = JSON.parse(text)
        "#{Digest::SHA256.hexdigest(order["lines"].map { |line| line["sku"] }.join)}#{format("%036d", order["id"])}"
      end
    end

    # The item.
    module Same
      def self.call(item)
        item
      end
    end

    # What a worker has for itself.
    module OwnMemory
      def self.call(_item)
        Ratomic::Workers::Processes::Memory.own
      end
    end

    # The library, from Ruby's own paths, a directory that is named, or where Debian's ruby-parallel has it.
    # @return [Boolean] whether it is there
    def self.parallel?(directory = ENV.fetch("PARALLEL", nil))
      places = [directory, *Dir["/usr/share/rubygems-integration/all/gems/parallel-*/lib"]].compact
      $LOAD_PATH.concat(places)
      require "parallel"
      true
    rescue LoadError
      false
    end

    def initialize(bench)
      @bench = bench
    end

    def run
      documents
      one_item
      memory
    end

    private

    def documents
      texts = Load.documents(BYTES, DOCUMENTS)
      there = Processes.parallel?
      @bench.title "#{texts.size} JSON documents of #{BYTES} bytes, #{SIZE} processes"
      puts "  (no `parallel` library here: apt-get install ruby-parallel, or PARALLEL=DIRECTORY)" unless there
      { "kept" => Keep, "digests of 100 bytes" => Digested }.each { |name, work| beside(name, work, texts, there) }
    end

    def beside(name, work, texts, there)
      pools = { "ours" => { min_batch: 0 }, "ours, adaptive" => {} }.transform_values do |options|
        Ratomic::Workers::Pool.new(size: SIZE, backend: :process, **options).start
      end
      all = { "map" => -> { texts.map { |text| work.call(text) } } }
      pools.each { |ours, pool| all[ours] = -> { pool.dispatch_async(texts, work).value } }
      all["parallel"] = -> { Parallel.map(texts, in_processes: SIZE) { |text| work.call(text) } } if there
      compare(name, all, there)
    ensure
      pools&.each_value(&:shutdown)
    end

    def compare(name, all, there)
      rates = @bench.compare(all.transform_values { |contestant| -> { rate(&contestant) } },
                             rounds: @bench.rounds * 3, warm: 5)
      rates.each { |who, value| @bench.show("#{name}, #{who}", value, "documents/s") }
      @bench.ask("#{name}: ours / parallel", @bench.share("ours", of: "parallel"), at_least: 1.5) if there
      @bench.ask("#{name}: adaptive / map", @bench.share("ours, adaptive", of: "map"), at_least: 0.95)
    end

    def rate
      started = WorkersBench.now
      yield
      DOCUMENTS / (WorkersBench.now - started)
    end

    def one_item
      @bench.title "One item there and back"
      pool = Ratomic::Workers::Pool.new(size: 1, backend: :process, min_batch: 0).start
      with_bare_pair do |pair|
        times = @bench.compare({ "a bare socket pair" => -> { trips { pair.write("x") && pair.readpartial(9) } },
                                 "an item" => -> { trips { pool.dispatch_async([1], Same).value } } },
                               rounds: @bench.rounds * 3)
        times.each { |name, time| @bench.show(name, time, "us") }
        @bench.ask("an item / a bare socket pair", @bench.share("an item", of: "a bare socket pair"), at_most: 3)
      end
    ensure
      pool&.shutdown
    end

    def trips
      times = Array.new(ROUND_TRIPS) do
        started = WorkersBench.now
        yield
        (WorkersBench.now - started) * 1e6
      end
      WorkersBench.median(times)
    end

    def with_bare_pair
      here, there = UNIXSocket.pair
      pid = fork { echo(there, here) }
      there.close
      yield here
    ensure
      here.close
      Process.wait(pid)
    end

    def echo(socket, other)
      other.close
      loop { socket.write(socket.readpartial(9)) }
    rescue SystemCallError, EOFError
      exit!(0)
    end

    def memory
      return unless Ratomic::Workers::Processes::Memory.own

      @bench.title "Memory that an idle worker has for itself, #{CONSTANTS / 1_000_000} MB of constants in the parent"
      constants = Array.new(CONSTANTS / 200) { |n| "#{n} #{"x" * 150}" }
      pool = Ratomic::Workers::Pool.new(size: SIZE, backend: :process, min_batch: 0).start
      texts = Load.documents(BYTES, DOCUMENTS)
      40.times { pool.dispatch_async(texts, Keep).value }
      sleep(2) # by then an idle process has given back what it does not need
      megabytes = pool.map([1] * 8, OwnMemory).max / 1e6
      @bench.show("of its own, after #{constants.size.positive? && 40 * DOCUMENTS} documents", megabytes, "MB")
      @bench.ask("MB of its own", megabytes, at_most: MAX_OWN_MB)
    ensure
      pool&.shutdown
    end
  end
end
