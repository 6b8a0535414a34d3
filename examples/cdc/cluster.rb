# frozen_string_literal: true

require "fileutils"
require "open3"
require "tmpdir"
require_relative "child"
require_relative "programs"

module Cdc
  # A private PostgreSQL server: its own data directory under the temporary directory, reached through a Unix socket
  # in there and no network, gone without a trace when the block ends, however it ends. Started by root it runs as
  # the user `postgres`, since PostgreSQL refuses root.
  class Cluster
    SETTINGS = { "wal_level" => "logical", "listen_addresses" => "", "autovacuum" => "off", "fsync" => "off",
                 "timezone" => "UTC", "log_timezone" => "UTC", "max_prepared_transactions" => "10" }.freeze

    # What a session needs that reads a stream: then every value has the one form that {Cast} reads, whatever the
    # database and its users have set. As environment of pg_recvlogical this is
    # PGCLIENTENCODING=UTF8 PGOPTIONS='-c datestyle=ISO -c timezone=UTC -c bytea_output=hex ...'.
    SESSION = { "datestyle" => "ISO", "timezone" => "UTC", "bytea_output" => "hex", "extra_float_digits" => "1",
                "intervalstyle" => "postgres" }.freeze
    START_TIMEOUT = 60

    # One of the server's programs went wrong. One line.
    class Failed < Error; end

    # Starts a server, yields it, stops it and removes its files.
    #
    # @param server [String, nil] see {Programs.find}
    # @param settings [Hash{String => String}] more settings of the server
    # @yieldparam cluster [Cluster]
    # @raise [Programs::Missing] where PostgreSQL is not installed
    # @raise [Failed] if it does not start
    def self.open(server: nil, settings: {})
      cluster = new(Programs.find(server: server), Dir.mktmpdir("ratomic-cdc-"))
      cluster.start(settings)
      yield cluster
    ensure
      cluster&.stop
    end

    def initialize(programs, directory)
      @programs = programs
      @directory = directory
    end

    # @param more [Hash{String => String}] settings
    # @raise [Failed]
    def start(more = {})
      FileUtils.chown("postgres", nil, @directory) if @programs.root?
      data = File.join(@directory, "data")
      run("initdb", "--pgdata", data, "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C",
          "--no-sync", server: true)
      settings = SETTINGS.merge(more, "unix_socket_directories" => @directory)
      settings = settings.flat_map { |pair| ["-c", pair.join("=")] }
      @server = child("postgres", "-D", data, *settings, server: true, out: [log, "a"], err: [log, "a"])
      wait_until_ready
    end

    # Stops the server, by force if it takes too long, and removes its files.
    def stop
      @server&.stop("INT", "QUIT", "KILL")
    ensure
      FileUtils.rm_rf(@directory)
    end

    # @param statements [String] SQL, run by psql
    # @param database [String]
    # @return [String] the rows, columns separated by "|"
    # @raise [Failed]
    def sql(statements, database: "postgres")
      run("psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database, input: statements)
    end

    # A psql that stays, for what takes more than one session.
    #
    # @yieldparam session [Session]
    def session
      command = @programs.command("psql", "-X", "-q", "-A", "-t")
      Open3.popen2e(environment, *command, chdir: "/") do |input, output, _thread|
        yield Session.new(input, output)
      end
    end

    # Statements of one session.
    class Session
      def initialize(input, output)
        @input = input
        @output = output
      end

      # @return [void] when the server has done them
      # @raise [Failed] with what it said, if it said anything
      def sql(statements)
        @input.puts(statements, "\\echo done")
        @input.flush
        words = nil
        while (line = @output.gets) && line != "done\n"
          words ||= line.chomp if line.start_with?("ERROR", "FATAL", "psql:")
        end
        raise Failed, "psql: #{words}" if words
        raise Failed, "psql ended" unless line
      end
    end

    # Runs one of the server's programs and waits for it.
    #
    # @return [String] what it printed
    # @raise [Failed] with its last words
    def run(program, *arguments, input: "", server: false)
      command = @programs.command(program, *arguments, server: server)
      output, errors, status = Open3.capture3(environment, *command, stdin_data: input, chdir: "/")
      return output if status.success?

      words = errors.lines.grep(/error|fatal/i).last || errors.lines.last || "exit status #{status.exitstatus}"
      raise Failed, "#{program}: #{words.strip}"
    end

    # Streams a slot's changes as pg_recvlogical writes them, until the block is done. With {SESSION}.
    #
    # @param slot [String] a logical slot with the plugin pgoutput
    # @param options [Hash{String => String}] options of the plugin
    # @param database [String]
    # @param endpos [String, nil] LSN behind which pg_recvlogical ends by itself
    # @yieldparam io [IO] binary; at its end pg_recvlogical has ended
    def replicate(slot, options, database: "postgres", endpos: nil)
      output, input = IO.pipe(binmode: true)
      more = endpos ? ["--endpos", endpos] : []
      receiver = child("pg_recvlogical", "-d", database, "--slot", slot, "--start", "--no-loop", "-f", "-", *more,
                       *options.flat_map { |pair| ["-o", pair.join("=")] }, out: input, err: [words, "w"])
      input.close
      yield output
    ensure
      output&.close
      receiver&.stop("INT", "KILL", patience: 5)
    end

    # @return [String] what pg_recvlogical said last when it failed: the server's own words
    def last_words
      lines = File.exist?(words) ? File.readlines(words, chomp: true) : []
      told = lines.grep(/ERROR|FATAL/).last || lines.grep(/error|fatal/i).last || lines.last || "it gave no reason"
      told.sub(/\A.*?(?=ERROR|FATAL)/, "")
    end

    private

    def log
      File.join(@directory, "log")
    end

    def words
      File.join(@directory, "words")
    end

    # Nothing of the caller's own PG* settings may point these programs at another server.
    def environment
      ENV.keys.grep(/\APG/).to_h { |name| [name, nil] }.merge(
        "PGHOST" => @directory, "PGUSER" => "postgres", "PGDATABASE" => "postgres", "LC_ALL" => "C",
        "PGCLIENTENCODING" => "UTF8", "PGOPTIONS" => SESSION.map { |pair| "-c #{pair.join('=')}" }.join(" ")
      )
    end

    def child(program, *arguments, server: false, **redirections)
      Child.new(environment, @programs.command(program, *arguments, server: server), **redirections)
    end

    def wait_until_ready
      deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + START_TIMEOUT
      until system(environment, *@programs.command("pg_isready", "-q"), out: File::NULL, err: File::NULL)
        if @server.over? || Process.clock_gettime(Process::CLOCK_MONOTONIC) > deadline
          raise Failed, "postgres did not start: #{File.readlines(log).grep(/FATAL|ERROR/).last || 'it gave no reason'}"
        end

        sleep 0.02
      end
    end
  end
end
