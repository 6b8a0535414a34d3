# frozen_string_literal: true

require "digest"
require "json"
require_relative "cluster"
require_relative "content"
require_relative "statistics"

module Cdc
  # Small captures of what the protocol can do, each recorded from a real server through pg_recvlogical. Beside each is
  # what the server itself said: where it cuts the same changes into messages (read through a second slot), and what the
  # tables hold at the end.
  class Captures
    # @!attribute name [String]
    # @!attribute options [Hash] of the plugin, besides the publication
    # @!attribute statements [String] in workload/captures/NAME.sql; a line `-- setup ends` ends what is not recorded,
    #   and `-- session N` goes to another session
    # @!attribute two_phase [Boolean] how the slots are made
    # @!attribute least [Integer] version of the server
    Kind = Struct.new(:name, :options, :statements, :two_phase, :least)

    KINDS = [
      Kind.new("streaming-on", { "proto_version" => "2", "streaming" => "on" }, "streaming", false, 15),
      Kind.new("streaming-parallel", { "proto_version" => "4", "streaming" => "parallel" }, "streaming", false, 16),
      Kind.new("two-phase", { "proto_version" => "3", "streaming" => "on" }, "two_phase", true, 15),
      Kind.new("two-phase-version-1", { "proto_version" => "1" }, "two_phase", true, 15),
      Kind.new("values", { "proto_version" => "1" }, "values", false, 15),
      Kind.new("values-binary", { "proto_version" => "1", "binary" => "true" }, "values", false, 15)
    ].freeze
    SLOTS = %w[one other].freeze
    STATEMENTS = File.join(File.expand_path(__dir__), "workload", "captures")

    # @param directory [String] gets a .pgoutput and a .json of each kind, named after the kind and the server's version
    # @param output [IO] is told what was written
    # @param server [String, nil] see {Programs.find}
    # @raise [Error] if the server is missing, or cuts the messages in other places
    def self.record(directory, output, server: nil)
      KINDS.each do |kind|
        Cluster.open(server: server, settings: { "logical_decoding_work_mem" => "64kB" }) do |cluster|
          version = cluster.sql("SHOW server_version").chomp
          next output.puts "#{kind.name}: needs PostgreSQL #{kind.least}" if version.to_i < kind.least

          new(cluster, kind, version).record(File.join(directory, "#{kind.name}-#{version.to_i}"), output)
        end
      end
    end

    def initialize(cluster, kind, version)
      @cluster = cluster
      @kind = kind
      @version = version
      @options = kind.options.merge("publication_names" => "everything", "messages" => "true")
    end

    def record(path, output)
      setup, work = File.read(File.join(STATEMENTS, "#{@kind.statements}.sql")).split("-- setup ends\n")
      @cluster.sql(setup)
      SLOTS.each do |slot|
        @cluster.sql("SELECT pg_create_logical_replication_slot('#{slot}', 'pgoutput', false, #{@kind.two_phase})")
      end
      work(work)
      bytes = read
      facts = facts(bytes)
      File.binwrite("#{path}.pgoutput", bytes)
      File.write("#{path}.json", "#{JSON.generate(facts)}\n")
      output.puts "#{File.basename(path)}: #{bytes.bytesize} bytes, #{facts['lengths'].size} messages"
    end

    private

    def work(statements)
      @cluster.session do |one|
        @cluster.session do |other|
          current = one
          statements.split(/^(-- session \d)\n/).each do |part|
            next current = part.end_with?("1") ? one : other if part.start_with?("-- session")

            part.split(/;$/).each { |statement| current.sql("#{statement};") unless statement.strip.empty? }
          end
        end
      end
    end

    # After the work, so that both slots tell the same, descriptions and all.
    def read
      last = @cluster.sql("SELECT pg_current_wal_insert_lsn()").chomp
      @cluster.sql("SELECT pg_logical_emit_message(false, 'the end', '')")
      @cluster.replicate(SLOTS.first, @options, endpos: last, &:read)
    end

    def facts(bytes)
      cut = cut()
      lengths, digests = cut.transpose
      ours = []
      Statistics.cut(bytes) { |payload| ours << payload }
      size = ours.size
      unless ours.map { |one| [one.bytesize, Digest::MD5.hexdigest(one)] } == cut.first(size)
        raise Error, "not recorded: the server cuts #{@kind.name} in other places"
      end

      { "server" => @version, "options" => @options, "two_phase" => @kind.two_phase, "lengths" => lengths.first(size),
        "md5" => Digest::MD5.hexdigest(digests.first(size).join), "tables" => Content.of(@cluster).tables }
    end

    # @return [Array] length and MD5 of each message
    def cut
      options = @options.map { |pair| pair.map { |text| "'#{text}'" }.join(", ") }.join(", ")
      rows = @cluster.sql("SELECT length(data), md5(data) FROM " \
                          "pg_logical_slot_peek_binary_changes('#{SLOTS.last}', NULL, NULL, #{options})")
      rows.lines(chomp: true).map { |row| row.split("|") }.map { |length, digest| [length.to_i, digest] }
    end
  end
end
