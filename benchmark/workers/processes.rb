# frozen_string_literal: true

require "digest"
require_relative "round_trip"

module WorkersBench
  # Worker processes: documents beside the `parallel` library, one item beside a bare socket pair, and memory.
  class Processes
    SIZE = 2
    BYTES = 5_000
    DOCUMENTS = 400
    # Bytes of constants in the parent, and of what a worker may have for itself.
    CONSTANTS = 50_000_000
    MAX_OWN_MB = 8

    # An adaptive pool chooses which thread runs the items. Owned results are not frozen, as those of `map`.
    POOLS = { "ours" => { min_batch: 0 }, "ours, adaptive" => {},
              "ours, adaptive and owned" => { results: :owned } }.freeze

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
      RoundTrip.new(@bench).run
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
      pools = POOLS.transform_values do |options|
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
                             rounds: @bench.rounds * 3, warm: 12)
      rates.each { |who, value| @bench.show("#{name}, #{who}", value, "documents/s") }
      @bench.ask("#{name}: ours / parallel", @bench.share("ours", of: "parallel"), at_least: 1.5) if there
      POOLS.keys.grep(/adaptive/).each do |ours|
        @bench.ask("#{name}: #{ours} / map", @bench.share(ours, of: "map"), at_least: 0.95)
      end
    end

    def rate
      started = WorkersBench.now
      yield
      DOCUMENTS / (WorkersBench.now - started)
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
