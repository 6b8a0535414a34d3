# frozen_string_literal: true

class Server
  # One request. `path` is as it was sent, names of headers are in small letters.
  Request = Struct.new(:verb, :path, :version, :headers, :body)

  # Reads requests from a connection.
  class Request
    # Raised for a malformed request; has the HTTP status of the answer.
    class Bad < StandardError
      # @return [Integer]
      attr_reader :status

      def initialize(status)
        @status = status
        super("bad request (#{status})")
      end
    end

    MAX_LINE_BYTES = 8_192
    MAX_HEADERS = 100
    MAX_BODY_BYTES = 1 << 20
    FIRST = %r{\A([A-Z]+) (/\S*) (HTTP/1\.[01])\r?\n\z}
    HEADER = /\A([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*\r?\n\z/

    # @param io [IO]
    # @return [Request, nil] nil when the client has gone
    # @raise [Bad]
    def self.read(io)
      line = io.gets("\n", MAX_LINE_BYTES)
      return if line.nil?

      _, verb, path, version = *FIRST.match(line) || raise(Bad, 400)
      request = new(verb, path, version, read_headers(io), "")
      raise Bad, 501 if request.headers.key?("transfer-encoding")

      request.body = read_body(io, request.headers["content-length"])
      request
    end

    def self.read_headers(io)
      headers = {}
      count = 0
      until ["\r\n", "\n"].include?(line = io.gets("\n", MAX_LINE_BYTES))
        raise Bad, 431 if (count += 1) > MAX_HEADERS

        _, name, value = *HEADER.match(line.to_s) || raise(Bad, 400)
        raise Bad, 400 if name.casecmp?("content-length") && headers.key?("content-length")

        headers[name.downcase] = value
      end
      headers
    end
    private_class_method :read_headers

    def self.read_body(io, length)
      return "" if length.nil?
      raise Bad, 400 unless length.match?(/\A\d+\z/)
      raise Bad, 413 if length.to_i > MAX_BODY_BYTES

      body = io.read(length.to_i)
      body.to_s.bytesize == length.to_i ? body.to_s : raise(Bad, 400)
    end
    private_class_method :read_body

    # @return [Boolean] whether the client wants to ask again on this connection
    def keep_alive?
      wish = headers["connection"].to_s.downcase
      version == "HTTP/1.1" ? wish != "close" : wish == "keep-alive"
    end
  end
end
