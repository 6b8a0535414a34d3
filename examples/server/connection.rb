# frozen_string_literal: true

class Server
  # Serves one connection, request by request, in a thread of a worker.
  class Connection
    REASONS = { 200 => "OK", 400 => "Bad Request", 404 => "Not Found", 413 => "Content Too Large",
                431 => "Request Header Fields Too Large", 500 => "Internal Server Error",
                501 => "Not Implemented", 503 => "Service Unavailable" }.freeze
    # Seconds that a client may be silent between two requests, and within one.
    IDLE_TIMEOUT_S = 5
    READ_TIMEOUT_S = 10
    # How often a thread that waits for the next request looks whether others need it.
    CHECK_INTERVAL_S = 0.05

    # @param number [Integer] of an open file, which is closed in the end
    # @param site [Site]
    def initialize(number, site)
      @socket = TCPSocket.for_fd(number)
      @socket.setsockopt(Socket::IPPROTO_TCP, Socket::TCP_NODELAY, 1)
      @socket.timeout = READ_TIMEOUT_S if @socket.respond_to?(:timeout=)
      @site = site
    end

    # @return [void]
    def serve
      nil while next_request? && answer
    rescue SystemCallError, IOError
      nil # the client has gone
    ensure
      @socket.close
    end

    private

    # Waits for the first byte. A connection that was only kept open is closed when the server stops, or when others
    # wait for a thread; a first request is always waited for.
    def next_request?
      silent = 0
      until @socket.wait_readable(CHECK_INTERVAL_S)
        silent += CHECK_INTERVAL_S
        return false if silent > IDLE_TIMEOUT_S || (@served && wanted?)
      end
      true
    end

    def wanted?
      !@site.stopping.zero? || !@site.connections.empty?
    end

    # @return [Boolean] whether the connection stays open
    def answer
      request = Request.read(@socket)
      return false if request.nil?

      @site.figures.begun.increment
      @served = true
      status, body = result(request)
      keep = request.keep_alive? && !wanted?
      write(status, body, keep)
      @site.figures.answer(status)
      keep
    rescue Request::Bad => e
      write(e.status, "#{REASONS.fetch(e.status)}\n", false)
      false
    end

    def result(request)
      @site.application.call(request)
    rescue StandardError => e
      [500, "#{e.class}\n"]
    end

    def write(status, body, keep)
      @socket.write("HTTP/1.1 #{status} #{REASONS.fetch(status, 'Other')}\r\nContent-Length: #{body.bytesize}\r\n",
                    keep ? "\r\n" : "Connection: close\r\n\r\n", body)
    end
  end
end
