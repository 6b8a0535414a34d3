# frozen_string_literal: true

require "socket"

# redis-client, where it is on the load path or was brought to build/gems (client_from_debian); else one that speaks
# just enough of the protocol of Redis. Both have call(*command) and close, and raise an error when the server is gone.
module RedisClients
  folders = Dir[File.expand_path("../../../build/gems/redis-client/**/{redis-client,connection_pool}-*/lib", __dir__)]
  $LOAD_PATH.push(*folders)
  begin
    require "redis-client"
    NAME = "redis-client #{RedisClient::VERSION}".freeze
    Factory = Struct.new(:port) do
      def call
        RedisClient.new(host: "127.0.0.1", port: port)
      end
    end
  rescue LoadError
    NAME = "the test's own client (redis-client cannot be had here)"
    Factory = Struct.new(:port) do
      def call
        Tiny.new("127.0.0.1", port)
      end
    end
  end

  # One connection, one command at a time.
  class Tiny
    def initialize(host, port)
      @socket = TCPSocket.new(host, port)
    end

    def call(*command)
      parts = command.map { |part| "$#{part.to_s.bytesize}\r\n#{part}\r\n" }
      @socket.write("*#{parts.size}\r\n#{parts.join}")
      answer
    end

    def close
      @socket.close
    end

    private

    def answer
      line = @socket.gets("\r\n", chomp: true) or raise(EOFError, "the server has gone")
      text = line[1..]
      case line[0]
      when "+" then text
      when "-" then raise "redis: #{text}"
      when ":" then Integer(text)
      when "$" then Integer(text).negative? ? nil : bulk(Integer(text))
      when "*" then Array.new(Integer(text)) { answer }
      end
    end

    def bulk(size)
      @socket.read(size + 2).chomp("\r\n")
    end
  end
end
