# frozen_string_literal: true

require "date"
require "json"
require_relative "capture"
require_relative "cluster"
require_relative "statistics"
require_relative "workload"

module Cdc
  # Records a stream from a real server through pg_recvlogical while the {Workload} runs, and next to it what the
  # server counted. Nothing is written before three things agree: the rows in the stream with the statistics of the
  # server, the messages found with those that the server itself finds in a second slot, and the bytes with the MD5
  # of that second slot's messages.
  class Recorder
    TRANSACTIONS = 1200

    # @param directory [String] gets stream.pgoutput and statistics.json
    # @param output [IO] is told what was written
    # @param server [String, nil] see {Programs.find}
    # @raise [Error] if the server is missing or anything does not agree
    def self.record(directory, output, server: nil)
      Cluster.open(server: server) do |cluster|
        workload = Workload.new(cluster, transactions: TRANSACTIONS)
        workload.prepare
        bytes = String.new(encoding: Encoding::BINARY)
        Capture.run(cluster, workload, Intake.new, copy: bytes) { nil }
        facts = facts(cluster, workload, bytes)
        File.binwrite(File.join(directory, "stream.pgoutput"), bytes)
        File.write(File.join(directory, "statistics.json"), "#{JSON.pretty_generate(facts)}\n")
        output.puts "#{bytes.bytesize} bytes, #{facts['messages'].values.sum} messages, PostgreSQL #{facts['server']}"
      end
    end

    def self.facts(cluster, workload, bytes)
      facts = { "server" => cluster.sql("SHOW server_version").chomp, "recorded_on" => Date.today.iso8601,
                "plugin" => "pgoutput", "options" => Workload::PLUGIN_OPTIONS, "bytes" => bytes.bytesize,
                "md5" => workload.md5, "messages" => workload.messages, "tables" => workload.statistics }
      check(facts, bytes)
      facts
    end

    def self.check(facts, bytes)
      recording = Recording.parse(bytes)
      counted = Ratomic::Workers.reduce(recording.runs, CountRuns.new(recording.relations)).check.sum
      totals = Totals.new
      totals.add(counted.tally)
      differences = counted.rejected.map(&:to_s)
      statistics = Statistics.new(facts)
      differences.concat(statistics.differences(totals, recording.messages))
      differences << "the MD5 of the messages is another" unless Statistics.md5(bytes) == statistics.md5
      raise Error, "not recorded, stream and server differ: #{differences.first}" if differences.any?
    end
    private_class_method :facts, :check
  end
end
