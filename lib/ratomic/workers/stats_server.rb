# frozen_string_literal: true

require "socket"

module Ratomic
  module Workers
    # Serves the statistics of this process's pools at a socket in the file system: each client gets one line of JSON.
    # See {Workers.serve_stats}. Only the user who runs the process can connect. A forked child does not serve.
    class StatsServer
      # Seconds after which a client that does not read is disconnected.
      READ_TIMEOUT_S = 1
      # Seconds until it tries again to accept a client.
      RETRY_INTERVAL_S = 0.1

      @open = []

      class << self
        # Closes the parent's sockets in a forked child. While the child had them open, a client could not see that the
        # parent has ended.
        # @api private
        def after_fork
          @open.each(&:let_go)
          @open.clear
        end

        # @api private
        attr_reader :open
      end

      # @return [String]
      attr_reader :path

      # @param path [String, Pathname] of the socket; a socket that no process serves is replaced
      # @raise [ArgumentError] if another file is there, if a process serves the socket already, if there is no such
      #   folder, or if the path is too long for a socket
      # @raise [TypeError]
      def initialize(path)
        unless !RACTORS || Ractor.main?
          raise NotImplementedError, "serve_stats: call it in the main Ractor, where the program's end is handled"
        end
        unless path.respond_to?(:to_path) || path.respond_to?(:to_str)
          raise TypeError, "the path of the socket must be a String, not #{Reflection.class_of(path)}"
        end

        @path = File.expand_path(path)
        @owner = Process.pid
        make_room
        Interrupts.deferred { begin_serving } # an interrupt in between would leave a socket that nobody serves
        begun = true
      ensure
        close if @thread && !begun # the caller gets no object that he could close
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
      rescue Errno::ENOENT # another process has removed it
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

      # @return [String]
      def inspect
        "#<#{self.class} #{@path}#{" closed" if closed?}>"
      end

      private

      def make_room
        folder = File.dirname(@path)
        raise ArgumentError, "#{@path}: there is no folder #{folder}; make it first" unless File.directory?(folder)
        return unless File.exist?(@path) || File.symlink?(@path)
        raise ArgumentError, "#{@path} is a folder; add the name of the socket" if File.directory?(@path)
        raise ArgumentError, "#{@path} exists and is no socket; give another path" unless File.socket?(@path)

        UNIXSocket.new(@path).close
        raise ArgumentError, "#{@path}: a process serves its statistics there already; give another path"
      rescue Errno::ECONNREFUSED
        File.unlink(@path)
      end

      def begin_serving
        @socket = listen
        @thread = OwnThread.start("ratomic-stats") { serve }
        self.class.open << self
        at_exit { close }
      ensure
        discard(@socket, @path) unless @thread
      end

      # Nobody serves the socket. While it is there, it would look as if somebody did.
      def discard(socket, path)
        return if socket.nil?

        socket.close
        File.unlink(path)
      rescue Errno::ENOENT
        nil
      end

      # The socket is made under another name, so that no client can connect before its permissions are set.
      def listen
        hidden = "#{@path}.#{Process.pid}"
        socket = UNIXServer.new(hidden)
        File.chmod(0o600, hidden)
        File.rename(hidden, @path)
        ready = socket
      rescue ArgumentError # a socket's path has about 100 bytes at most
        raise ArgumentError, "#{@path} is too long for a socket (#{hidden.bytesize} bytes with .#{Process.pid}); " \
                             "give a shorter path"
      ensure
        discard(socket, hidden) unless ready
      end

      def serve
        loop do
          answer(@socket.accept)
        rescue SystemCallError # the process has no file descriptor left, or the client has gone
          sleep(RETRY_INTERVAL_S)
        end
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
