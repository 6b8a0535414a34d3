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
                 "timezone" => "UTC", "log_timezone" => "UTC" }.freeze
    START_TIMEOUT = 60

    # One of the server's programs went wrong. One line.
    class Failed < Error; end

    # Starts a server, yields it, stops it and removes its files.
    #
    # @yieldparam cluster [Cluster]
    # @raise [Programs::Missing] where PostgreSQL is not installed
    # @raise [Failed] if it does not start
    def self.open
      cluster = new(Programs.find, Dir.mktmpdir("ratomic-cdc-"))
      cluster.start
      yield cluster
    ensure
      cluster&.stop
    end

    def initialize(programs, directory)
      @programs = programs
      @directory = directory
    end

    # @raise [Failed]
    def start
      FileUtils.chown("postgres", nil, @directory) if @programs.root?
      data = File.join(@directory, "data")
      run("initdb", "--pgdata", data, "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C",
          "--no-sync", server: true)
      settings = SETTINGS.merge("unix_socket_directories" => @directory).flat_map { |pair| ["-c", pair.join("=")] }
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
    # @return [String] the rows, columns separated by "|"
    # @raise [Failed]
    def sql(statements)
      run("psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", input: statements)
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

    # Streams a slot's changes as pg_recvlogical writes them, until the block is done.
    #
    # @param slot [String] a logical slot with the plugin pgoutput
    # @param options [Hash{String => String}] options of the plugin
    # @yieldparam io [IO] binary; at its end pg_recvlogical has ended
    def replicate(slot, options)
      output, input = IO.pipe(binmode: true)
      receiver = child("pg_recvlogical", "-d", "postgres", "--slot", slot, "--start", "--no-loop", "-f", "-",
                       *options.flat_map { |pair| ["-o", pair.join("=")] }, out: input, err: [log, "a"])
      input.close
      yield output
    ensure
      output&.close
      receiver&.stop("INT", "KILL", patience: 5)
    end

    private

    def log
      File.join(@directory, "log")
    end

    # Nothing of the caller's own PG* settings may point these programs at another server.
    def environment
      ENV.keys.grep(/\APG/).to_h { |name| [name, nil] }.merge(
        "PGHOST" => @directory, "PGUSER" => "postgres", "PGDATABASE" => "postgres", "PGTZ" => "UTC", "LC_ALL" => "C"
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
