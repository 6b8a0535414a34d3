# frozen_string_literal: true

require "etc"

module Cdc
  # PostgreSQL's programs on this machine.
  class Programs
    SERVER = %w[initdb postgres].freeze
    CLIENTS = %w[psql pgbench pg_isready pg_recvlogical].freeze
    USUAL_PLACES = %w[/usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql*/bin
                      /usr/local/opt/postgresql*/bin /usr/local/pgsql/bin].freeze

    # PostgreSQL is not installed. One line that says what to install.
    class Missing < Error; end

    # @param path [String] directories to look in first, as in PATH
    # @param usual [Array<String>] patterns of directories to look in then
    # @param server [String, nil] directory of the server's programs, where it is not the newest that is installed; the
    #   clients of another version will do
    # @return [Programs]
    # @raise [Missing]
    def self.find(path: ENV.fetch("PATH", ""), usual: USUAL_PLACES, server: nil)
      installed = usual.flat_map { |pattern| Dir.glob(pattern) }.sort_by { |place| place[/\d+(\.\d+)?/].to_f }
      places = path.split(File::PATH_SEPARATOR) + installed.reverse
      clients = places.find { |place| all?(place, CLIENTS + (server ? [] : SERVER)) }
      raise Missing, "#{server} does not hold the programs #{SERVER.join(' and ')}" if server && !all?(server, SERVER)
      return new(clients, server || clients) if clients

      raise Missing, "PostgreSQL is not installed here: install the package postgresql (14 or newer, " \
                     "with pgbench and pg_recvlogical; on Debian: apt-get install postgresql)"
    end

    def self.all?(place, programs)
      programs.all? { |program| File.executable?(File.join(place, program)) }
    end
    private_class_method :all?

    def initialize(clients, server)
      @clients = clients
      @server = File.expand_path(server)
      @setpriv = ENV.fetch("PATH", "").split(File::PATH_SEPARATOR).map { |place| File.join(place, "setpriv") }
                    .find { |file| File.executable?(file) }
    end

    # @return [Boolean] whether the server has to run as another user, because PostgreSQL refuses root
    def root?
      Process.euid.zero?
    end

    # @param server [Boolean] whether this is one of the two programs that root may not run
    # @return [Array<String>] the command to spawn. Where setpriv is there (Linux), the kernel ends the program
    #   together with the thread that started it, even if we are killed without a chance to stop it.
    def command(program, *arguments, server: false)
      [*wrapper(server && root?), File.join(server ? @server : @clients, program), *arguments]
    end

    private

    def wrapper(drop)
      unless @setpriv
        raise Missing, "setpriv (package util-linux) is needed to run PostgreSQL as another user than root" if drop

        return []
      end
      user = drop ? account : nil
      identity = user ? ["--reuid=#{user.uid}", "--regid=#{user.gid}", "--clear-groups"] : []
      [@setpriv, *identity, "--pdeathsig=INT", "--"]
    end

    def account
      Etc.getpwnam("postgres")
    rescue ArgumentError
      raise Missing, "PostgreSQL refuses to run as root, and there is no user postgres: create one, or be another user"
    end
  end
end
