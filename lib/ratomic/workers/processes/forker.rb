# frozen_string_literal: true

module Ratomic
  module Workers
    module Processes
      # Forks worker processes: from the thread of a worker ({Connection}), or from the one that calls {Pool#start}. A
      # lock lets one thread fork at a time, because each new process has to close the sockets that its parent has open
      # to the others. The caller owns the {Child} that it gets.
      module Forker
        GATE = Thread::Mutex.new
        # Signals that are often sent to a whole process group or service. Worker processes ignore them. The parent
        # decides what happens, and when it ends, they end.
        SHARED_SIGNALS = %w[HUP INT QUIT TERM USR1 USR2].freeze
        # Exit status of a worker process in which an item has ended the thread.
        THREAD_ENDED = 113
        # Objects of the parent's threads, which do not exist in a worker process. An IO among them would write its
        # buffer again when it is collected. So a worker process keeps them for ever.
        PINNED = [] # rubocop:disable Style/MutableConstant -- of one process
        LINUX = RUBY_PLATFORM.include?("linux")
        private_constant :PINNED, :GATE, :SHARED_SIGNALS, :LINUX

        class << self
          # Forks a worker process from the calling thread.
          # @param hooks [Hooks] that the process calls
          # @param worker [Integer] number of the worker that it belongs to
          # @return [Child]
          # @raise [SystemCallError] when the system has no room for another
          def call(hooks, worker)
            Interrupts.deferred { GATE.synchronize { start(hooks, worker) } }
          end

          # As {GcState.enabled?}. No process is forked in the moment in which the collector is disabled.
          def collector_enabled?
            Interrupts.deferred { GATE.synchronize { GcState.enabled? } }
          end

          # @return [Array<UNIXSocket>, nil] the sockets to the parent, in a worker process that was just forked
          def own_ends
            making = @making
            making.drop(1) if making && making[0].equal?(Thread.current)
          end

          # Writes what is in STDOUT's buffer. Ruby does so before a fork for `$stdout`, which may be another object.
          # @return [void]
          def flush_output
            STDOUT.flush # rubocop:disable Style/GlobalStdStream -- see above
          rescue SystemCallError, IOError
            nil # nobody reads it
          end

          private

          def start(hooks, worker)
            pairs = []
            open_pairs(pairs)
            known = InheritedCallables.all.transform_values { true }
            pid = fork_off(hooks, worker, pairs.map(&:last))
            child = Child.new(pid, waiter(pid, [pairs[0][0], pairs[1][0]]), pairs.map(&:first), known)
          ensure
            SocketRegistry.close(*(child ? pairs.map(&:last) : pairs.flatten))
          end

          # One after the other: if there is no room for the next one, those before it are closed.
          def open_pairs(pairs)
            pairs << UNIXSocket.pair
            pairs << UNIXSocket.pair
            pairs << IO.pipe.reverse
            SocketRegistry.add(*pairs.flatten)
          end

          # The numbers of the callables are read before the fork, so the process knows at least those that the parent
          # counts on.
          def fork_off(hooks, worker, ends)
            @making = [Thread.current, *ends].freeze
            flush_output # the process would write it, too
            disabled = GC.disable # the child enables it after it has pinned objects that it must not collect
            Process.fork { Forker.child(disabled, hooks, worker, ends) }
          ensure
            GC.enable unless disabled
            @making = nil
          end

          # A thread that waits for the end of the process, so that it leaves no zombie. Where the number of processes
          # and threads is limited, there may be room for the process and none for the thread.
          # @param ends [Array<UNIXSocket>] of the parent
          def waiter(pid, ends)
            OwnThread.start("ratomic-process-#{pid}") do
              status = wait_for(pid)
              ends.each { |socket| cut_off(socket) } if LINUX
              status
            end
          rescue ThreadError => e
            Process.kill(:KILL, pid)
            Process.wait(pid)
            raise Errno::EAGAIN, e.message
          end

          # @return [Process::Status, nil] nil if other code of the program has waited for it
          def wait_for(pid)
            Process.wait2(pid)[1]
          rescue Errno::ECHILD
            nil
          end

          # Another process may have the ends of the worker process too: one that an item, or the program, has forked in
          # C. Then these sockets would not report the end of the process. On Linux what was sent before can still be
          # read; on BSD it could not, so there nothing is done.
          def cut_off(socket)
            socket.shutdown
          rescue SystemCallError, IOError
            nil # it is closed
          end
        end

        # Runs in the worker process, from its start to its end. It ends with `exit!`: it calls no at_exit handler and
        # no finalizer of the parent, and writes no buffer of the parent.
        # @return [void] it does not return
        # @param disabled [Boolean] whether the parent has disabled the garbage collector
        def self.child(disabled, hooks, worker, ends)
          status = THREAD_ENDED
          ObjectSpace.each_object(IO) { |io| PINNED << io }
          GC.enable unless disabled
          Interrupts.allowed do
            control, data, lifeline = ends
            settle_in(lifeline)
            server = Server.new(control, data, hooks, worker)
            # If a start hook has ended the thread, the process goes on in another thread.
            status = 0 if work(server) || (server.starting? && work(server))
          end
        ensure
          exit!(status)
        end

        # Items do not run in the main thread, because there their `exit` could not be told from that of a signal
        # handler.
        # An item may fork without a block, or call `Process.daemon`. In the process that this makes the item returns
        # too. It has none of the sockets, so it comes to here when it is to write the result, before another item.
        # After the last item {Server} ends it. Its buffers must not be written: the worker process writes the same.
        # @return [Boolean, nil] whether the thread has done all its work
        def self.work(server)
          here = Process.pid
          OwnThread.start do
            server.run && Thread.current[:done] = true
          ensure
            exit! unless Process.pid == here
          end.join[:done]
        end
        private_class_method :work

        def self.settle_in(lifeline)
          # A block and not "IGNORE": programs that the process starts would inherit that.
          SHARED_SIGNALS.each { |signal| trap(signal) { nil } }
          trap("CHLD", "DEFAULT")
          Thread.current.priority = 0
          NestedDispatch.leave
          ParentWatch.hold(lifeline)
          Processes.inside!
        end
        private_class_method :settle_in
      end
    end
  end
end
