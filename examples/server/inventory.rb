# frozen_string_literal: true

require "socket"

# Another server, which the shop has connections to: a line with a number is answered with how many are in stock.
class Inventory
  # @return [Integer]
  attr_reader :port
  # @return [Integer] connections that were ever made
  attr_reader :connections

  def initialize
    @socket = TCPServer.new("127.0.0.1", 0)
    @port = @socket.addr[1]
    @connections = 0
    @group = ThreadGroup.new
    @thread = Thread.new { loop { serve(@socket.accept) } }
  end

  # @return [Boolean] whether nobody is connected
  def idle?
    @group.list.empty?
  end

  # @return [void]
  def stop
    [@thread, *@group.list].each { |thread| thread.kill.join }
    @socket.close
  end

  private

  def serve(client)
    @connections += 1
    thread = Thread.new do
      while (line = client.gets)
        client.write("#{(line.to_i * 37) % 101}\n")
      end
    rescue SystemCallError
      nil # it has gone
    ensure
      client.close
    end
    @group.add(thread)
  end
end
