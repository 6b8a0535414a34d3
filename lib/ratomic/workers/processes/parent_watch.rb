# frozen_string_literal: true

module Ratomic
  module Workers
    module Processes
      # Tells a worker process that its parent has ended, also by `kill -9`, and also while the worker is in a native
      # call. It is a pipe to which no process writes. Only the parent has the writing end, so the kernel closes it when
      # the parent ends. On Linux the kernel then sends SIGIO to the worker, and that signal ends it. On other systems
      # the worker finds its socket closed when it reads next.
      module ParentWatch
        # Constants of fcntl(2) that Ruby's Fcntl does not have.
        SET_OWNER = 8
        ASYNC = 0o20000
        KNOWN = /\A(?:x86_64|aarch64|i.86|arm\w*)-linux/.match?(RUBY_PLATFORM)
        private_constant :SET_OWNER, :ASYNC, :KNOWN

        # Called in a worker process. All processes that have the same pipe open share one owner, and only the owner
        # gets the signal. So each worker process has a pipe of its own.
        # @param reader [IO]
        # @return [void]
        def self.hold(reader)
          return unless KNOWN

          trap("IO", "SYSTEM_DEFAULT")
          reader.fcntl(SET_OWNER, Process.pid)
          reader.fcntl(Fcntl::F_SETFL, reader.fcntl(Fcntl::F_GETFL, 0) | ASYNC)
          exit! if reader.wait_readable(0) # the parent had ended before
        rescue SystemCallError, ArgumentError
          nil # this system sends no signal: the worker will find its socket closed
        end
      end
    end
  end
end
