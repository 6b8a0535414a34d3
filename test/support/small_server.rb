# frozen_string_literal: true

require "socket"
require "stringio"

# Serves a Rack application over HTTP/1.0 on this machine, as much of it as a browser needs in a test.
class SmallServer
  attr_reader :port
  # @return [Array<String>] paths that were asked for
  attr_reader :requests

  def initialize(application, script: "")
    @application = application
    @script = script
    @requests = []
    @socket = TCPServer.new("127.0.0.1", 0)
    @port = @socket.addr[1]
    @thread = Thread.new { loop { serve(@socket.accept) } }
  end

  def url(path = "/")
    "http://127.0.0.1:#{@port}#{@script}#{path}"
  end

  def stop
    @thread.kill
    @thread.join
    @socket.close
  end

  private

  def serve(client)
    Thread.new do
      answer(client) if client.wait_readable(5)
    rescue SystemCallError, EOFError
      nil # the browser has gone
    ensure
      client.close
    end
  end

  def answer(client)
    method, target = client.gets.to_s.split
    return unless target

    @requests << target
    headers = {}
    while (line = client.gets("\r\n", chomp: true)) && line != ""
      name, value = line.split(": ", 2)
      headers[name.downcase] = value
    end
    body = client.read(headers["content-length"].to_i)
    status, out, parts = @application.call(environment(method, target, headers, body))
    client.write("HTTP/1.0 #{status} -\r\n", *out.map { |pair| "#{pair.join(": ")}\r\n" }, "\r\n")
    parts.each { |part| client.write(part) }
  end

  def environment(method, target, headers, body)
    path, query = target.split("?", 2)
    others = headers.transform_keys { |name| "HTTP_#{name.upcase.tr("-", "_")}" }
    { "REQUEST_METHOD" => method, "SCRIPT_NAME" => @script, "PATH_INFO" => path.delete_prefix(@script),
      "QUERY_STRING" => query.to_s, "SERVER_NAME" => "127.0.0.1", "SERVER_PORT" => @port.to_s,
      "rack.input" => StringIO.new(body), "rack.url_scheme" => "http", **others }
  end
end
