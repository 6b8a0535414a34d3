# frozen_string_literal: true

require "socket"

module Ratomic
  module Workers
    # Tells who connects to a socket in the file system what the pools of this process do, as one line of JSON: see
    # {Workers.serve_stats}. Only the user who runs the process can connect. A forked child does not serve.
    class StatsServer
      # Seconds that one who has connected gets to read.
      READ_TIMEOUT_S = 1

      @open = []

      class << self
        # A forked child lets go of its parent's sockets: while it had them, nobody could tell that the parent is gone.
        # @api private
        def in_child
          @open.each(&:let_go)
          @open.clear
        end

        # @api private
        attr_reader :open
      end

      # @return [String]
      attr_reader :path

      # @param path [String] of the socket; one that nobody serves any more is replaced
      # @raise [ArgumentError] when there is something else, or somebody who serves
      def initialize(path)
        @path = File.expand_path(path)
        @owner = Process.pid
        make_room
        @socket = listen
        @thread = OwnThread.start("ratomic-stats") { serve }
        self.class.open << self
        at_exit { close }
      end

      # Ends it, and removes the socket.
      # @return [self]
      def close
        return self if @owner != Process.pid || @socket.closed?

        @thread.kill
        @socket.close
        self.class.open.delete(self)
        File.unlink(@path)
        self
      rescue Errno::ENOENT # somebody was faster
        self
      end

      # @api private
      def let_go
        @socket.close
      end

      # @return [Boolean]
      def closed?
        @socket.closed?
      end

      private

      def make_room
        return unless File.exist?(@path) || File.symlink?(@path)
        raise ArgumentError, "#{@path} is there, and is no socket" unless File.socket?(@path)

        UNIXSocket.new(@path).close
        raise ArgumentError, "#{@path}: another process serves its statistics there"
      rescue Errno::ECONNREFUSED
        File.unlink(@path)
      end

      # It is made under another name, so that nobody can connect before only its user may.
      def listen
        hidden = "#{@path}.#{Process.pid}"
        socket = UNIXServer.new(hidden)
        File.chmod(0o600, hidden)
        File.rename(hidden, @path)
        socket
      end

      def serve
        loop { answer(@socket.accept) }
      end

      def answer(client)
        text = "#{Snapshot.new(History.current).to_json}\n"
        limit = Clock.now + READ_TIMEOUT_S
        until text.empty? || Clock.left(limit).zero?
          sent = client.write_nonblock(text, exception: false)
          sent == :wait_writable ? client.wait_writable(Clock.left(limit)) : text = text.byteslice(sent..)
        end
      rescue SystemCallError, ::IOError # the reader has gone
        nil
      rescue UserException => e # the next reader is answered all the same
        ErrorWarning.once(Failure.from(e, nil), "the thread of serve_stats")
      ensure
        client.close
      end
    end
  end
end
