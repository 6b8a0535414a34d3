# frozen_string_literal: true

module Ratomic
  module Workers
    module Processes
      # How a worker process learns that its parent has ended, in whatever way, also by `kill -9` and while the worker
      # is in a native call: a pipe into which nobody ever writes. Only the parent has its writing end, so the kernel
      # closes it with the parent. Where the system can (Linux), it then sends SIGIO to the worker, which ends it;
      # elsewhere the worker sees the end of its socket when it next reads.
      module ParentWatch
        # Of fcntl(2), which Ruby's Fcntl does not name.
        SET_OWNER = 8
        ASYNC = 0o20000
        KNOWN = /\A(?:x86_64|aarch64|i.86|arm\w*)-linux/.match?(RUBY_PLATFORM)
        private_constant :SET_OWNER, :ASYNC, :KNOWN

        # In a worker process. The owner of a file that gets the signal is one for all processes that have it, so each
        # worker has a pipe of its own.
        # @param reader [IO]
        # @return [void]
        def self.hold(reader)
          return unless KNOWN

          trap("IO", "SYSTEM_DEFAULT")
          reader.fcntl(SET_OWNER, Process.pid)
          reader.fcntl(Fcntl::F_SETFL, reader.fcntl(Fcntl::F_GETFL, 0) | ASYNC)
          exit! if reader.wait_readable(0) # it had ended before that
        rescue SystemCallError, ArgumentError
          nil # then it is the end of the socket that tells
        end
      end
    end
  end
end
