# frozen_string_literal: true

require "json"
require_relative "server"

# The application of the example: it computes, it waits, and it asks another server through a LocalPool.
module Shop
  # An exception that ends the worker.
  class Crash < Exception # rubocop:disable Lint/InheritException -- a StandardError would be an answer, 500
  end

  # Makes one connection to the {Inventory}. Frozen and shareable.
  Connect = Struct.new(:port) do
    # @return [TCPSocket]
    def call
      TCPSocket.new("127.0.0.1", port)
    end
  end

  # @return [#call] the application, shareable
  def self.open(inventory_port)
    Application.new(Ratomic::LocalPool.new(size: 2, timeout: 5, factory: Connect.new(inventory_port).freeze))
  end

  # Frozen and shareable. Each worker has connections of its own behind the pool; its threads share them.
  class Application
    def initialize(inventory)
      @inventory = inventory
      freeze
    end

    # @param request [Server::Request]
    # @return [Array(Integer, String)] status and body
    def call(request)
      _, name, argument = request.path.split("/", 3)
      case name
      when nil, "" then [200, "Hello\n"]
      when "catalogue" then [200, catalogue(argument.to_i.clamp(1, 2_000))]
      when "stock" then [200, "#{stock(argument.to_i)}\n"]
      when "slow" then [200, slow(argument.to_i.clamp(0, 600_000))]
      when "echo" then [200, request.body]
      when "crash" then raise Crash, "the worker ends"
      else [404, "nothing is at #{request.path}\n"]
      end
    end

    # Closes the connections of the Ractor that calls; those of a worker end with it.
    # @return [void]
    def close
      @inventory.close
    end

    private

    def slow(milliseconds)
      sleep(milliseconds / 1000.0)
      "after #{milliseconds} ms\n"
    end

    def catalogue(count)
      JSON.generate(Array.new(count) { |i| { "id" => i, "name" => "article #{i}", "cents" => (i * 7_919) % 10_000 } })
    end

    # A connection on which an answer is missing is of no use to the next request.
    def stock(id)
      @inventory.with do |connection|
        connection.write("#{id}\n")
        connection.gets&.chomp || raise(EOFError, "the inventory has gone")
      rescue SystemCallError, IOError
        @inventory.discard_current
        raise
      end
    end
  end
end
