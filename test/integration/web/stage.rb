# frozen_string_literal: true

require "ratomic/workers/web"
require "support/small_server"

# A process with pools at work, and the live page about them.
class Stage
  TOKEN = "a token for tests only"

  # Parses, and fails as real work does.
  module ParseOrder
    def self.call(line)
      sleep(0.004) # a database that answers
      name, total = line.split(";")
      raise ArgumentError, "no total in <#{line}>" unless total

      [name, Integer(total)]
    end
  end

  # Computes for a while.
  module Render
    def self.call(seconds)
      sleep(seconds)
    end
  end

  attr_reader :server
  # @return [Boolean] whether Failures are shown as if somebody had opened them
  attr_writer :open

  def initialize(script: "/workers")
    @web = Ratomic::Workers::Web.new(title: "Workers of the importer", token: TOKEN)
    @server = SmallServer.new(self, script: script)
    @pools = { "orders" => ParseOrder, "pages" => Render }.to_h do |name, callable|
      [callable, Ratomic::Workers::Pool.new(size: 2, name: name, min_batch: 0)]
    end
  end

  def call(env)
    status, headers, parts = @web.call(env)
    return [status, headers, parts] unless @open

    opened = parts.map { |part| part.gsub("<details ", "<details open ") }
    [status, headers.merge("content-length" => opened.sum(&:bytesize).to_s), opened]
  end

  # Works for some seconds, so that there is something to see; the pages stay at work.
  def play(seconds)
    Ratomic::Workers::History.current
    @pools[Render].dispatch_async([600, 600], Render, context: Ractor.make_shareable({ page: "catalogue", part: 3 }))
    limit = Process.clock_gettime(Process::CLOCK_MONOTONIC) + seconds
    number = 0
    while Process.clock_gettime(Process::CLOCK_MONOTONIC) < limit
      lines = Array.new(20) { "item #{number += 1}#{";#{number * 3}" unless (number % 37).zero?}" }
      file = Ractor.make_shareable({ file: "orders-#{number}.csv" })
      @pools[ParseOrder].dispatch_async(lines, ParseOrder, context: file).value
    end
  end

  # @return [Array<String>] paths that were asked for
  def requests
    @server.requests
  end

  def stop
    @pools.each_value(&:kill)
    @server.stop
  end
end
