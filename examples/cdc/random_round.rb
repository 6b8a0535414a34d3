# frozen_string_literal: true

require_relative "capture"
require_relative "cluster"
require_relative "content"
require_relative "random_workload"
require_relative "replay"

module Cdc
  # One random workload: run, decoded, replayed and compared.
  class RandomRound
    TRANSACTIONS = 15
    SLOT = "random"

    # @param seed [Integer] of the statements and of the options
    # @param server [String, nil] see {Programs.find}
    def initialize(seed, server)
      @seed = seed
      @server = server
      @random = Random.new(seed)
      @replay = Replay.new
      @intake = Intake.new(memory: [20_000, 64 << 20][@random.rand(2)], json: :text)
      @events = Hash.new(0)
    end

    # Prints what came of it.
    #
    # @return [Boolean] whether all is equal
    def run
      differences = Cluster.open(server: @server, settings: settings) { |cluster| compare(cluster) }
      differences.first(5).each { |line| warn "seed #{@seed}: #{line}" }
      puts "seed #{@seed}, PostgreSQL #{@version}, #{@options.inspect}#{' from a two-phase slot' if @two_phase}: " \
           "#{@intake.bytes} bytes, #{@intake.transactions} transactions, #{@intake.messages.inspect}, " \
           "#{@intake.spills} spills, #{differences.empty? ? 'equal' : 'DIFFERENT'}"
      differences.empty?
    end

    private

    def settings
      { "logical_decoding_work_mem" => "64kB", "max_replication_slots" => "4" }
    end

    def compare(cluster)
      prepare(cluster)
      workload = RandomWorkload.new(cluster, seed: @seed, transactions: TRANSACTIONS)
      Capture.run(cluster, workload, @intake, slot: SLOT, options: @options) { |event| take(event) }
      @problems + Content.of(cluster).differences(@replay)
    end

    def prepare(cluster)
      @problems = []
      @version = cluster.sql("SHOW server_version").chomp
      cluster.sql(RandomWorkload::SETUP)
      @two_phase = @random.rand(2).zero?
      @options = options(@version.to_i)
      cluster.sql("ALTER SYSTEM SET debug_logical_replication_streaming = 'immediate'") if immediate?
      cluster.sql("SELECT pg_reload_conf()")
      cluster.sql("SELECT pg_create_logical_replication_slot('#{SLOT}', 'pgoutput', false, #{@two_phase})")
    end

    def immediate?
      @version.to_i >= 16 && @random.rand(2).zero?
    end

    def options(server)
      version = 1 + @random.rand(server >= 16 ? 4 : 3)
      more = { "proto_version" => version.to_s, "publication_names" => "everything", "messages" => "true" }
      more["streaming"] = version == 4 && @random.rand(2).zero? ? "parallel" : "on" if version > 1
      more["binary"] = "true" if @random.rand(4).zero?
      more
    end

    def take(event)
      case event
      when Run then RunReader.new(event, @intake.relations).each { |change, _bytes| apply(change) }
      when Loss then @problems << event.to_s
      when Notice then @problems << event.to_s if event.damage?
      end
    end

    def apply(change)
      change.is_a?(Change) ? @replay.apply(change) : @problems << change.to_s
    rescue Replay::Inconsistent => e
      @problems << e.message
    end
  end
end
