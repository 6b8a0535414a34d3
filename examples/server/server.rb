# frozen_string_literal: true

require "socket"
require "ratomic"

# An HTTP/1.1 server: Ractors outside, threads and Fibers inside.
#
#   server = Server.new(Shop, workers: 2, threads: 4, port: 8080).start
#   server.stop(timeout: 10)     # => :graceful, or :forced when something would not end
#
# One thread accepts connections and puts their numbers (of open files) into a Ratomic::Queue, from which the threads of
# all workers take them. So a worker that hangs holds up nobody, and a worker that has died is missed by nobody.
class Server
  # What a worker needs to know, shareable.
  Site = Struct.new(:application, :connections, :stopping, :figures, :threads, :fibers)

  # @return [Integer]
  attr_reader :port
  # @return [Figures]
  attr_reader :figures

  # @param application [#call, #close] shareable; gets a {Request}, returns a status and a body
  # @param workers [Integer] Ractors; on a Ruby without them, groups of threads
  # @param threads [Integer] of each worker
  # @param fibers [Integer] connections that each thread serves at a time, in Fibers; 0 for one, without Fibers
  # @param port [Integer] 0 for any that is free
  # @param waiting [Integer] connections that may wait for a thread; more are left to the operating system
  def initialize(application, workers: 2, threads: 4, fibers: 0, port: 0, waiting: 64)
    @connections = Ratomic::Queue.new(waiting)
    @stopping = Ratomic::Counter.new
    @figures = Figures.new
    @application = application
    site = Site.new(application, @connections, @stopping, @figures, threads, fibers).freeze
    @seats = Array.new(workers) { Seat.new(site) }
    @listener = TCPServer.new("127.0.0.1", port)
    @listener.listen(1_024)
    @port = @listener.addr[1]
    @wake, @waker = IO.pipe
  end

  # @return [self]
  def start
    @seats.each(&:start)
    @acceptor = Thread.new { accept }
    self
  end

  # Takes no more connections, and waits until those that were taken are answered and all workers have ended. When the
  # time is up, the workers end where they stand.
  # @param timeout [Numeric] seconds
  # @return [:graceful, :forced]
  def stop(timeout: 10)
    deadline = now + timeout
    @stopping.increment
    @waker.close
    ended = [@acceptor, *@seats].all? { |part| part.join([deadline - now, 0].max) }
    force unless ended
    @wake.close
    @application.close
    ended ? :graceful : :forced
  end

  private

  def accept
    loop do
      ready, = IO.select([@listener, @wake])
      break if ready.include?(@wake)

      take
    end
    # Clients that are connected by now are served. No others are accepted.
    nil while take
    @listener.close
    @connections.close
  end

  # @return [Boolean] whether there was a connection
  def take
    socket = @listener.accept_nonblock(exception: false)
    return false unless socket.is_a?(TCPSocket)

    @figures.accepted.increment
    socket.autoclose = false # from here on it belongs to whoever takes its number
    @connections.push(socket.fileno)
    true
  rescue ClosedQueueError
    TCPSocket.for_fd(socket.fileno).close # a forced stop has come in between
    true
  rescue Errno::ECONNABORTED
    true
  end

  def force
    @connections.close
    @seats.each(&:kill)
    [@acceptor, *@seats].each(&:join)
    @connections.pop_many(@connections.capacity, timeout: 0)&.each { |number| TCPSocket.for_fd(number).close }
  end

  def now
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end
end

require_relative "figures"
require_relative "request"
require_relative "connection"
require_relative "scheduler"
require_relative "fibers"
require_relative "worker"
require_relative "seat"
