# frozen_string_literal: true

require "socket"

# Clients that ask as fast as they can, a new connection for each request, and count what became of each.
class Load
  # answered; refused: no connection; unanswered: a connection, and no whole answer
  Outcome = Struct.new(:connected, :answered, :refused, :unanswered)

  # @param port [Integer]
  # @param path [String]
  # @param clients [Integer]
  def initialize(port, path, clients: 4)
    @port = port
    @path = path
    @ended = false
    @threads = Array.new(clients) { Thread.new { ask_on } }
  end

  # @return [Outcome] of all clients
  def finish
    @ended = true
    outcomes = @threads.map(&:value)
    Outcome.new(*outcomes.map(&:to_a).transpose.map(&:sum))
  end

  # One request.
  # @return [Array(Integer, String), nil] status and body; nil when the answer was not whole
  # @raise [SystemCallError] without a connection
  def self.get(port, path, body: nil)
    socket = TCPSocket.new("127.0.0.1", port)
    yield if block_given?
    answer(socket, "#{body ? 'POST' : 'GET'} #{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" \
                   "#{"Content-Length: #{body.bytesize}\r\n" if body}\r\n#{body}")
  ensure
    socket&.close
  end

  def self.answer(socket, request)
    socket.write(request)
    head, body = socket.read.split("\r\n\r\n", 2)
    [head[9, 3].to_i, body] if head && body && body.bytesize == head[/^Content-Length: (\d+)/, 1].to_i
  rescue SystemCallError, IOError
    nil
  end
  private_class_method :answer

  private

  def ask_on
    outcome = Outcome.new(0, 0, 0, 0)
    until @ended || outcome.refused.positive?
      begin
        answer = Load.get(@port, @path) { outcome.connected += 1 }
        answer ? outcome.answered += 1 : outcome.unanswered += 1
      rescue SystemCallError
        outcome.refused += 1
      end
    end
    outcome
  end
end
